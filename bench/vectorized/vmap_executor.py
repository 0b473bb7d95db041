"""Execute the steps of a training round for all replicas of a stack at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from bench.core.batch import Batch, Latent
from bench.core.parts import RandomInput
from bench.models.differentiable import ParamState
from bench.models.executor import IsDue, LossFn, ReplicaMask
from bench.vectorized.stack import ReplicaStack


class VmapExecutor:
    """Execute steps of R replicas: the `StepExecutor` of a stack, tensors have [R] first.

    Methods of the model run under `torch.vmap`, once for all slots; random numbers, optimizer
    steps and constraints are each replica's own. Results for empty slots, and for slots outside a
    mask, are discarded. Real samples are [R, B, ...].
    """

    def __init__(self, stack: ReplicaStack, real: Batch, fresh_real: Batch) -> None:
        self.stack, self.real, self.fresh_real = stack, real, fresh_real
        self.latent, self.fake = Latent(real.samples), real.samples  # until the first move
        self.occupied = stack.occupied
        self.masks: dict[tuple[int, ...], Tensor] = {}  # of this round, by their slots

    def due(self, is_due: IsDue) -> ReplicaMask:
        """Return the slots for which something is due in this round."""
        models = [(slot, self.stack.model(slot)) for slot in self.occupied]
        return [slot for slot, model in models if is_due(model.d_steps, model.g_steps)]

    def draw_latents(self, count: int = 1, mask: ReplicaMask | None = None) -> Latent:
        """Draw latents from each replica's stream, [R, count B, L], and labels, [R, count B]."""
        size = count * self.real.samples.shape[1]
        latents = [self.stack.model(slot).draw_latent(size) for slot in self._slots(mask)]
        labels = {
            name: self._stack_slots(mask, [latent.labels[name] for latent in latents])
            for name in latents[0].labels
        }
        return Latent(self._stack_slots(mask, [latent.z for latent in latents]), labels)

    def draw_random(
        self, inputs: Mapping[str, RandomInput], mask: ReplicaMask | None = None
    ) -> dict[str, Tensor]:
        """Draw random numbers by name from each replica's stream, [R, ...] each."""
        return self._draw(inputs, self.real.samples, "draws", mask) if inputs else {}

    def draw_for_samples(
        self,
        inputs: Mapping[str, RandomInput],
        count: int = 1,
        mask: ReplicaMask | None = None,
        source: str = "transforms",
    ) -> dict[str, Tensor]:
        """Draw random numbers that ride with `count` batches, [R, count B, ...]."""
        if not inputs:
            return {}
        like = self.real.samples.repeat(1, count, *(1,) * (self.real.samples.ndim - 2))
        return self._draw(inputs, like, source, mask)

    def _draw(
        self,
        inputs: Mapping[str, RandomInput],
        like: Tensor,
        source: str,
        mask: ReplicaMask | None,
    ) -> dict[str, Tensor]:
        """Draw random numbers for samples like [R, B, ...] from a stream of each replica."""
        models = [(slot, self.stack.model(slot)) for slot in self._slots(mask)]
        draws = [model.draw_random(inputs, like[slot], source) for slot, model in models]
        return {name: self._stack_slots(mask, [one[name] for one in draws]) for name in inputs}

    def draw_noise(self, width: int) -> Tensor:
        """Draw N(0, 1) for every sample from each replica's stream, [R, B, width]."""
        streams = [self.stack.model(slot).streams["draws"] for slot in self.occupied]
        real = self.real.samples
        options: Any = {"device": real.device, "dtype": real.dtype}
        shape = real.shape[1], width
        noise = [torch.randn(shape, generator=stream, **options) for stream in streams]
        return self._stack_slots(None, noise)

    def forward(self, method: Callable[..., Any], *inputs: Any, with_grad: bool = False) -> Any:
        """Call a method of the model for all replicas; results [R, ...].

        No graph is kept, whatever `with_grad`: `compatibility` refuses models that need one.
        """
        stack = self.stack
        result, buffers = stack.vmapped.call(method.__name__, stack.vmap_inputs, inputs)
        self._store_buffers(buffers, None)
        return result

    def optimizer_step(
        self, player: int, loss_fn: LossFn, *inputs: Any, mask: ReplicaMask | None = None
    ) -> tuple[Tensor, ...]:
        """Update a player's weights in every slot of the mask, each by its own optimizer.

        One pass under vmap computes losses [R] and gradients [R, P] of all replicas.
        """
        stack = self.stack
        gradients, result, buffers = stack.vmapped.gradient(
            loss_fn.__name__, player, stack.vmap_inputs, inputs
        )
        self._store_buffers(buffers, mask)
        for slot in self._slots(mask):
            stack.optimizer_step(player, slot, gradients[slot])
        return result

    def optimizer_state(self, player: int) -> list[ParamState]:
        """Return moments and settings of a player's optimizers for each parameter; [R, ...]."""
        return self.stack.optimizer_state(player)

    def constrain(self, player: int) -> None:
        """Project each replica's weights onto its own allowed set, in place."""
        for slot in self.occupied:
            self.stack.model(slot).constrain([self.stack.rows[player][slot]])

    def log(self, name: str, value: Tensor, mask: ReplicaMask | None = None) -> None:
        """Store scalars [R] among the models' losses."""
        losses = self.stack.loss_values(name, value)
        if self._leaves_some(mask):
            value = torch.where(self._in_mask(mask, value), value, losses)
        losses.copy_(value)

    def count_generator_step(self, mask: ReplicaMask | None = None) -> None:
        """Count a generator step of each replica and update its moving average."""
        for slot in self._slots(mask):
            self.stack.model(slot).count_generator_step()

    def _slots(self, mask: ReplicaMask | None) -> Sequence[int]:
        """Return the slots of a mask."""
        return self.occupied if mask is None else mask

    def _stack_slots(self, mask: ReplicaMask | None, values: Sequence[Tensor]) -> Tensor:
        """Stack a tensor for each slot of the mask as [R, ...]; other slots repeat the first."""
        by_slot = dict(zip(self._slots(mask), values, strict=True))
        return torch.stack([by_slot.get(s, values[0]) for s in range(len(self.stack.models))])

    def _store_buffers(self, buffers: Mapping[str, Tensor], mask: ReplicaMask | None) -> None:
        """Write the buffers that a method returned, in the slots of the mask."""
        for name, value in buffers.items():
            stored = self.stack.buffers[name]
            if self._leaves_some(mask):
                value = torch.where(self._in_mask(mask, value), value, stored)
            stored.copy_(value)

    def _leaves_some(self, mask: ReplicaMask | None) -> bool:
        """Return whether a mask leaves out a slot that holds a model."""
        return len(self._slots(mask)) < len(self.occupied)

    def _in_mask(self, mask: ReplicaMask | None, like: Tensor) -> Tensor:
        """Return a bool tensor [R, 1, ...], true in the slots of the mask."""
        key = tuple(self._slots(mask))
        if key not in self.masks:
            in_mask = torch.zeros(len(like), dtype=torch.bool, device=like.device)
            for slot in key:  # a list as index would be copied from the host, and waited for
                in_mask[slot] = True
            self.masks[key] = in_mask
        return self.masks[key].view(-1, *(1,) * (like.ndim - 1))
