"""Train the models of a stack, and find the slots of a machine that round alike."""

import copy
from collections import Counter

import torch
from torch import Tensor

from bench.data.batches import as_float
from bench.models.base import GenerativeModel
from bench.vectorized.stack import ReplicaStack, state_bytes
from bench.vectorized.vmap_executor import VmapExecutor

TRIAL_STEPS = 3  # tell how a slot rounds


def train_step(stack: ReplicaStack) -> None:
    """Make one discriminator step, and the generator's where due, of every model in a stack.

    Raises:
        ValueError: the stack is empty.
    """
    there = stack.occupied
    if not there:
        raise ValueError("a stack of no models: put one in first")
    drawn = {slot: next(stack.orders[slot]) for slot in there}
    spare = drawn[there[0]]
    indices = torch.stack([drawn.get(slot, spare) for slot in range(len(stack.models))])
    kind = stack.rows[0].dtype
    real = as_float(stack.samples[indices.to(stack.samples.device)]).to(kind)
    with torch.no_grad():
        stack.template.training_round(VmapExecutor(stack, real))
    for slot in there:
        stack.model(slot).d_steps += 1


def empty_stack(
    model: GenerativeModel, slots: int, samples: Tensor, batch_size: int
) -> tuple[ReplicaStack, list[int]]:
    """Return a warm stack for models like this one, and its slots that round unlike most of them.

    Kernels that work in blocks treat the last few numbers of a tensor in another way, so the same
    model may come to other bits in the last slot than in the first. Copies of one model are
    trained for a few steps. Where such slots stay empty, no run's bits depend on its slot.
    """
    stack = ReplicaStack([copy.deepcopy(model) for _ in range(slots)], samples, batch_size)
    for _ in range(TRIAL_STEPS):
        train_step(stack)
    contents = [state_bytes(stack.remove(slot)) for slot in range(slots)]
    usual, _ = Counter(contents).most_common(1)[0]
    return stack, [slot for slot, content in enumerate(contents) if content != usual]
