"""Execute the steps of a training round: for one model, or for R replicas at once.

A model writes its algorithm once, in `training_round(ex)`, as calls of a `StepExecutor`:

    latent = ex.draw_latents()
    fake = ex.forward(self.generate, latent)
    (d_loss,) = ex.optimizer_step(DISCRIMINATOR, self.discriminator_step_loss, ex.real, fake)
    ex.log("d_loss", d_loss)
    ex.constrain(DISCRIMINATOR)
    if due := ex.due(self.update_order.generator_is_due):  # is the generator updated now?
        (g_loss,) = ex.optimizer_step(GENERATOR, self.generator_step_loss, latent, mask=due)
        ex.log("g_loss", g_loss, due)
        ex.count_generator_step(due)

`bench.models.base.SingleExecutor` executes them for one model, where a tensor is [B, ...];
`bench.vectorized.vmap_executor.VmapExecutor` for R replicas, where it is [R, B, ...]. A round
passes tensors from one call to the next and computes with them only inside methods of the model,
which always see one replica's tensors.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from torch import Tensor, nn

from bench.core.batch import Batch, Latent
from bench.core.parts import RandomInput
from bench.models.differentiable import ParamState

LossFn = Callable[..., tuple[Tensor, ...]]  # a method of a model -> (loss, further results ...)
IsDue = Callable[[int, int], bool]  # (d_steps, g_steps) before this round -> is it due?
ReplicaMask = Sequence[int]  # indices of the replicas that a call is for; empty for none
GENERATOR, DISCRIMINATOR = 0, 1  # positions in `GenerativeModel.players`


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Compute no gradients for the module's own parameters; they still flow through it."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


class StepExecutor(Protocol):
    """The operations of a training round; shapes are one replica's, R replicas have [R] first.

    `player` is a position in the model's `players()`. `mask` names the replicas that a call is
    for, all of them if None; results for the others are undefined.

    Attributes:
        real: the round's real samples, [B, ...].
        fresh_real: those of the generator's step where it has its own, else `real`.
        latent, fake: what the player that moved first left for the other; fake is [B, ...].
    """

    real: Batch
    fresh_real: Batch
    latent: Latent
    fake: Tensor

    def due(self, is_due: IsDue) -> ReplicaMask:
        """Return the replicas for which something is due in this round; empty for none."""

    def draw_latents(self, count: int = 1, mask: ReplicaMask | None = None) -> Latent:
        """Draw latents [count B, L], then labels, for `count` batches, from the stream "latent"."""

    def draw_random(
        self, inputs: Mapping[str, RandomInput], mask: ReplicaMask | None = None
    ) -> Mapping[str, Tensor]:
        """Draw the random numbers that a pure function needs, by name, from the stream "draws"."""

    def draw_for_samples(
        self,
        inputs: Mapping[str, RandomInput],
        count: int = 1,
        mask: ReplicaMask | None = None,
        source: str = "transforms",
    ) -> Mapping[str, Tensor]:
        """Draw random numbers that ride with the samples of `count` batches, [count B, ...].

        Args:
            source: the stream.
        """

    def draw_noise(self, width: int) -> Tensor:
        """Draw N(0, 1) for every sample, [B, width], from the stream "draws"."""

    def forward(self, method: Callable[..., Any], *inputs: Any, with_grad: bool = False) -> Any:
        """Call a method of the model, for example `self.generate`; no optimizer moves.

        Args:
            method: a bound method of the model.
            inputs: its arguments: tensors, or mappings and sequences of them.
            with_grad: keep the graph of autograd, for a later `optimizer_step` to go through.
        """

    def optimizer_step(
        self, player: int, loss_fn: LossFn, *inputs: Any, mask: ReplicaMask | None = None
    ) -> tuple[Tensor, ...]:
        """Update a player's weights: loss, gradient, one step of its optimizer.

        Args:
            player: whose weights; the other players' are constants.
            loss_fn: a bound method of the model, inputs -> (loss, further tensors ...).
            inputs: arguments of `loss_fn`, as in `forward`.

        Returns:
            What `loss_fn` returned, detached, from before the update.
        """

    def optimizer_state(self, player: int) -> list[ParamState]:
        """Return moments and settings of a player's optimizer, for each of its parameters."""

    def constrain(self, player: int) -> None:
        """Project a player's weights onto the allowed set: `GenerativeModel.constrain`."""

    def log(self, name: str, value: Tensor, mask: ReplicaMask | None = None) -> None:
        """Store a scalar in the model's `losses` under a name, without waiting for the device."""

    def count_generator_step(self, mask: ReplicaMask | None = None) -> None:
        """Count a generator step and update the moving average of the generator's weights."""
