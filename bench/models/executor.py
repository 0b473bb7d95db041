"""What carries out the moves of a model's turn: for one model, or for many of a kind side by side.

A model says once what is computed and in which order. `Alone` does so for itself;
`bench.vectorized` does the same for many replicas at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from torch import Tensor, nn

from bench.core.objective import RandomInput, UpdateSchedule
from bench.models.differentiable import ParamState

ReplicaMask = Sequence[int]  # the replicas that a move is for; empty if it is for none


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """No gradients for the module's own parameters; they still flow through it."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


class StepExecutor(Protocol):
    """Carries out a turn. Tensors belong to one model or to all; a model does not look inside."""

    real: Tensor

    def due(self, turns: UpdateSchedule) -> ReplicaMask:
        """Whose generator moves in this turn."""

    def latents(self, count: int = 1, mask: ReplicaMask | None = None) -> Tensor:
        """The streams' next latents for `count` batches."""

    def draws(
        self, wanted: Mapping[str, RandomInput], mask: ReplicaMask | None = None
    ) -> Mapping[str, Tensor]:
        """The streams' next numbers that a pure function asks for."""

    def noise(self, width: int) -> Tensor:
        """The streams' next normal numbers, `width` for each sample."""

    def forward(self, method: Callable[..., Any], *inputs: Any, with_grad: bool = False) -> Any:
        """What a method of the model returns; with its graph only where `with_grad` says so."""

    def optimizer_state(self, player: int) -> list[ParamState]:
        """What a player's optimizer knows of each of its parameters."""

    def optimizer_step(
        self, player: int, loss: Callable[..., Any], *inputs: Any, mask: ReplicaMask | None = None
    ) -> tuple[Tensor, ...]:
        """One step of a player down a loss, a method of the model that returns (loss, ...).

        Returns:
            What the method returned, without a graph.
        """

    def constrain(self, player: int) -> None:
        """Bring a player's weights where the objective's constraint wants them."""

    def log(self, name: str, value: Tensor, mask: ReplicaMask | None = None) -> None:
        """Keep a reading for whoever wants it."""

    def generator_moved(self, mask: ReplicaMask | None = None) -> None:
        """Count a step of the generator."""
