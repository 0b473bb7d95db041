"""What carries out the moves of a model's turn: for one model, or for many of a kind side by side.

A model says once what is computed and in which order. `Alone` does so for itself;
`bench.packed` does the same for many replicas at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from bench import together
from bench.models.differentiable import Held, held_by
from bench.objective import Draw, Turns

if TYPE_CHECKING:
    from bench.models.base import GenerativeModel

Who = Sequence[int]  # the replicas that a move is for; empty if it is for none


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """No gradients for the module's own parameters; they still flow through it."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


class Hands(Protocol):
    """Carries out a turn. Tensors belong to one model or to all; a model does not look inside."""

    real: Tensor

    def due(self, turns: Turns) -> Who:
        """Whose generator moves in this turn."""

    def latents(self, count: int = 1, who: Who | None = None) -> Tensor:
        """The streams' next latents for `count` batches."""

    def draws(self, wanted: Mapping[str, Draw], who: Who | None = None) -> Mapping[str, Tensor]:
        """The streams' next numbers that a pure function asks for."""

    def noise(self, width: int) -> Tensor:
        """The streams' next normal numbers, `width` for each sample."""

    def given(self, method: Callable[..., Any], *inputs: Any, keep: bool = False) -> Any:
        """What a method of the model returns; with its graph only where `keep` says so."""

    def memory(self, player: int) -> list[Held]:
        """What a player's optimizer knows of each of its parameters."""

    def descend(
        self, player: int, loss: Callable[..., Any], *inputs: Any, who: Who | None = None
    ) -> tuple[Tensor, ...]:
        """One step of a player down a loss, a method of the model that returns (loss, ...).

        Returns:
            What the method returned, without a graph.
        """

    def constrain(self, player: int) -> None:
        """Bring a player's weights where the objective's constraint wants them."""

    def note(self, name: str, value: Tensor, who: Who | None = None) -> None:
        """Keep a reading for whoever wants it."""

    def generator_moved(self, who: Who | None = None) -> None:
        """Count a step of the generator."""


class Alone:
    """The hands of one model.

    Args:
        model: whose turn it is.
        real: samples [B, ...]: this process's share of the whole batch.
    """

    def __init__(self, model: "GenerativeModel", real: Tensor) -> None:
        self.model, self.real = model, real
        optimizers: Any = model.optimizers(use_pl_optimizer=False)
        self.optimizers = optimizers if isinstance(optimizers, list) else [optimizers]

    def due(self, turns: Turns) -> Who:
        """One, or nobody."""
        is_due = turns.generator_is_due(self.model.d_steps, self.model.g_steps)
        return (0,) if is_due else ()

    def latents(self, count: int = 1, who: Who | None = None) -> Tensor:
        """[count B, L]."""
        return self.model.draw_latent(count * len(self.real))

    def draws(self, wanted: Mapping[str, Draw], who: Who | None = None) -> dict[str, Tensor]:
        """For the whole batch, of which each process has its share."""
        real = self.real
        if together.size() > 1:
            real = real[:1].expand(together.size() * len(real), *real.shape[1:])
        return self.model.draw(wanted, real)

    def noise(self, width: int) -> Tensor:
        """[B, width]: this process's share."""
        draws, shape = self.model.streams["draws"], (len(self.real) * together.size(), width)
        drawn = torch.randn(shape, generator=draws, device=draws.device, dtype=self.real.dtype)
        return together.share(drawn)

    def given(self, method: Callable[..., Any], *inputs: Any, keep: bool = False) -> Any:
        """Called, with or without a graph."""
        with torch.set_grad_enabled(keep):
            return method(*inputs)

    def memory(self, player: int) -> list[Held]:
        """Those of the player's optimizer."""
        return held_by(self.optimizers[player])

    def descend(
        self, player: int, loss: Callable[..., Any], *inputs: Any, who: Who | None = None
    ) -> tuple[Tensor, ...]:
        """By the player's optimizer; the others' weights have no gradients meanwhile."""
        with ExitStack() as stack:
            for other in self.model.players()[1:] if player == 0 else ():
                stack.enter_context(frozen(other))
            value, *rest = loss(*inputs)
            value = self.model.step(self.optimizers[player], value)
        return value, *(one.detach() for one in rest)

    def constrain(self, player: int) -> None:
        """In place."""
        self.model.constrain(self.model.players()[player].parameters())

    def note(self, name: str, value: Tensor, who: Who | None = None) -> None:
        """Among the model's losses."""
        self.model.losses[name] = value

    def generator_moved(self, who: Who | None = None) -> None:
        """And fold it into the moving average."""
        self.model.generator_moved()
