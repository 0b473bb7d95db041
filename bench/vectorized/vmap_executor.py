"""The hands of many replicas: a model's turn, carried out for all of them at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from bench.core.objective import RandomInput, UpdateSchedule
from bench.models.differentiable import ParamState
from bench.models.executor import ReplicaMask
from bench.vectorized.stack import ReplicaStack


class VmapExecutor:
    """Moves all replicas of a stack; tensors have their axis first.

    What is computed for a slot that is empty, or not meant, is thrown away.

    Args:
        stack: whose turn it is.
        real: samples [R, B, ...].
    """

    def __init__(self, stack: ReplicaStack, real: Tensor) -> None:
        self.stack, self.real = stack, real
        self.all_slots = stack.occupied

    def due(self, turns: UpdateSchedule) -> ReplicaMask:
        """The slots whose generator moves."""
        models = [(slot, self.stack.models[slot]) for slot in self.all_slots]
        return [s for s, m in models if m and turns.generator_is_due(m.d_steps, m.g_steps)]

    def latents(self, count: int = 1, mask: ReplicaMask | None = None) -> Tensor:
        """[R, count B, L]."""
        size = count * self.real.shape[1]
        slots = self.all_slots if mask is None else mask
        return self._each(mask, [self.stack.model(slot).draw_latent(size) for slot in slots])

    def draws(
        self, wanted: Mapping[str, RandomInput], mask: ReplicaMask | None = None
    ) -> dict[str, Tensor]:
        """[R, ...] each."""
        slots = self.all_slots if mask is None else mask
        drawn = [self.stack.model(slot).draw(wanted, self.real[slot]) for slot in slots]
        return {name: self._each(mask, [one[name] for one in drawn]) for name in wanted}

    def noise(self, width: int) -> Tensor:
        """[R, B, width]."""
        streams = [self.stack.model(slot).streams["draws"] for slot in self.all_slots]
        wanted: Any = {"device": self.real.device, "dtype": self.real.dtype}
        shape = self.real.shape[1], width
        return self._each(None, [torch.randn(shape, generator=s, **wanted) for s in streams])

    def forward(self, method: Callable[..., Any], *inputs: Any, with_grad: bool = False) -> Any:
        """[R, ...] each; no graph is kept: `compatibility` refuses models that need one."""
        stack = self.stack
        found, after = stack.vmapped.call(method.__name__, *stack.vmap_inputs, inputs)
        self._take_in(after, None)
        return found

    def optimizer_state(self, player: int) -> list[ParamState]:
        """As one replica's optimizer would have them, each tensor with the replicas' axis."""
        return self.stack.optimizer_state(player)

    def optimizer_step(
        self, player: int, loss: Callable[..., Any], *inputs: Any, mask: ReplicaMask | None = None
    ) -> tuple[Tensor, ...]:
        """By each replica's own optimizer."""
        stack = self.stack
        gradients, found, after = stack.vmapped.gradient(
            loss.__name__, player, *stack.vmap_inputs, inputs
        )
        self._take_in(after, mask)
        for slot in self.all_slots if mask is None else mask:
            stack.optimizer_step(player, slot, gradients[slot])
        return found

    def constrain(self, player: int) -> None:
        """Each within its own bounds."""
        for slot in self.all_slots:
            self.stack.model(slot).constrain([self.stack.rows[player][slot]])

    def log(self, name: str, value: Tensor, mask: ReplicaMask | None = None) -> None:
        """Among each model's losses."""
        losses = self.stack.loss_values(name, value)
        losses.copy_(value if mask is None else torch.where(self._mask(mask, value), value, losses))

    def generator_moved(self, mask: ReplicaMask | None = None) -> None:
        """And fold each into its moving average."""
        for slot in self.all_slots if mask is None else mask:
            self.stack.model(slot).generator_moved()

    def _each(self, mask: ReplicaMask | None, drawn: Sequence[Tensor]) -> Tensor:
        """What is drawn for those who are meant, by slot; the others are given any of it."""
        slots = self.all_slots if mask is None else mask
        if len(slots) == len(self.stack.models):
            return torch.stack(list(drawn))
        found = dict(zip(slots, drawn, strict=True))
        return torch.stack([found.get(s, drawn[0]) for s in range(len(self.stack.models))])

    def _take_in(self, after: Mapping[str, Tensor], mask: ReplicaMask | None) -> None:
        """Buffers as a method left them."""
        for name, value in after.items():
            kept = self.stack.buffers[name]
            if mask is not None and len(mask) < len(self.all_slots):
                value = torch.where(self._mask(mask, value), value, kept)
            kept.copy_(value)

    def _mask(self, mask: Sequence[int], like: Tensor) -> Tensor:
        """True [R, 1, ...] in the slots that are meant."""
        meant = torch.zeros(len(like), dtype=torch.bool)
        meant[list(mask)] = True
        return meant.to(like.device).view(-1, *(1,) * (like.ndim - 1))
