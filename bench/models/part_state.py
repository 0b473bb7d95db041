"""Tensors that losses, terms and transforms keep from step to step, as buffers of a model.

A buffer is saved in checkpoints, digested, and stacked by replica, as batch norm's averages are.
"""

from collections.abc import Mapping

import torch
from torch import nn

from bench.core import distributed
from bench.core.parts import State


class PartState(nn.Module):
    """The state of parts, each a child module whose buffers are its tensors, scalars.

    Args:
        initial: part -> name -> number.
    """

    def __init__(self, initial: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__()
        for part, numbers in initial.items():
            child = nn.Module()
            for name, number in numbers.items():
                child.register_buffer(name, torch.tensor(float(number)))
            self.add_module(f"of_{part}", child)  # a part may be called as a method of modules is

    def read(self) -> State:
        """Return copies of the tensors, by part and name."""
        if not self._modules:
            return {}
        return {
            part.removeprefix("of_"): {n: tensor.clone() for n, tensor in child.named_buffers()}
            for part, child in self.named_children()
        }

    def write(self, state: State) -> None:
        """Store the next state of parts; where processes differ, their mean."""
        for part, tensors in state.items():
            for name, tensor in tensors.items():
                after = tensor.detach()
                if distributed.world_size() > 1:
                    after = distributed.all_reduce_sum(after) / distributed.world_size()
                self.get_buffer(f"of_{part}.{name}").copy_(after)
