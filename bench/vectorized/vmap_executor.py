"""The hands of many replicas: a model's turn, carried out for all of them at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from bench.core.objective import Draw, Turns
from bench.models.differentiable import Held
from bench.models.executor import Who
from bench.vectorized.stack import Stack


class Many:
    """Moves all replicas of a stack; tensors have their axis first.

    What is computed for a slot that is empty, or not meant, is thrown away.

    Args:
        stack: whose turn it is.
        real: samples [R, B, ...].
    """

    def __init__(self, stack: Stack, real: Tensor) -> None:
        self.stack, self.real = stack, real
        self.everyone = stack.occupied

    def due(self, turns: Turns) -> Who:
        """The slots whose generator moves."""
        models = [(slot, self.stack.models[slot]) for slot in self.everyone]
        return [s for s, m in models if m and turns.generator_is_due(m.d_steps, m.g_steps)]

    def latents(self, count: int = 1, who: Who | None = None) -> Tensor:
        """[R, count B, L]."""
        size = count * self.real.shape[1]
        slots = self.everyone if who is None else who
        return self._each(who, [self.stack.model(slot).draw_latent(size) for slot in slots])

    def draws(self, wanted: Mapping[str, Draw], who: Who | None = None) -> dict[str, Tensor]:
        """[R, ...] each."""
        slots = self.everyone if who is None else who
        drawn = [self.stack.model(slot).draw(wanted, self.real[slot]) for slot in slots]
        return {name: self._each(who, [one[name] for one in drawn]) for name in wanted}

    def noise(self, width: int) -> Tensor:
        """[R, B, width]."""
        streams = [self.stack.model(slot).streams["draws"] for slot in self.everyone]
        wanted: Any = {"device": self.real.device, "dtype": self.real.dtype}
        shape = self.real.shape[1], width
        return self._each(None, [torch.randn(shape, generator=s, **wanted) for s in streams])

    def given(self, method: Callable[..., Any], *inputs: Any, keep: bool = False) -> Any:
        """[R, ...] each; no graph is kept: `compatibility` refuses models that need one."""
        stack = self.stack
        found, after = stack.mapped.call(method.__name__, *stack.known, inputs)
        self._take_in(after, None)
        return found

    def memory(self, player: int) -> list[Held]:
        """As one replica's optimizer would have them, each tensor with the replicas' axis."""
        return self.stack.memory(player)

    def descend(
        self, player: int, loss: Callable[..., Any], *inputs: Any, who: Who | None = None
    ) -> tuple[Tensor, ...]:
        """By each replica's own optimizer."""
        stack = self.stack
        gradients, found, after = stack.mapped.gradient(loss.__name__, player, *stack.known, inputs)
        self._take_in(after, who)
        for slot in self.everyone if who is None else who:
            stack.move(player, slot, gradients[slot])
        return found

    def constrain(self, player: int) -> None:
        """Each within its own bounds."""
        for slot in self.everyone:
            self.stack.model(slot).constrain([self.stack.rows[player][slot]])

    def note(self, name: str, value: Tensor, who: Who | None = None) -> None:
        """Among each model's losses."""
        losses = self.stack.losses_called(name, value)
        losses.copy_(value if who is None else torch.where(self._mask(who, value), value, losses))

    def generator_moved(self, who: Who | None = None) -> None:
        """And fold each into its moving average."""
        for slot in self.everyone if who is None else who:
            self.stack.model(slot).generator_moved()

    def _each(self, who: Who | None, drawn: Sequence[Tensor]) -> Tensor:
        """What is drawn for those who are meant, by slot; the others are given any of it."""
        slots = self.everyone if who is None else who
        if len(slots) == len(self.stack.models):
            return torch.stack(list(drawn))
        found = dict(zip(slots, drawn, strict=True))
        return torch.stack([found.get(s, drawn[0]) for s in range(len(self.stack.models))])

    def _take_in(self, after: Mapping[str, Tensor], who: Who | None) -> None:
        """Buffers as a method left them."""
        for name, value in after.items():
            kept = self.stack.buffers[name]
            if who is not None and len(who) < len(self.everyone):
                value = torch.where(self._mask(who, value), value, kept)
            kept.copy_(value)

    def _mask(self, who: Sequence[int], like: Tensor) -> Tensor:
        """True [R, 1, ...] in the slots that are meant."""
        meant = torch.zeros(len(like), dtype=torch.bool)
        meant[list(who)] = True
        return meant.to(like.device).view(-1, *(1,) * (like.ndim - 1))
