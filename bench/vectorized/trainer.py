"""Train the models of a stack, and find slots that round differently on this machine."""

import copy
from collections import Counter

import torch
from torch import Tensor

from bench.data.batches import as_float
from bench.models.base import GenerativeModel
from bench.vectorized.stack import ReplicaStack, state_bytes
from bench.vectorized.vmap_executor import VmapExecutor

TRIAL_STEPS = 3  # enough for slots that round differently to show


def train_step(stack: ReplicaStack) -> None:
    """Make one discriminator step, and a due generator's, of every model; ValueError if none."""
    occupied = stack.occupied
    if not occupied:
        raise ValueError("the stack is empty: insert a model first")
    batches = {slot: next(stack.orders[slot]) for slot in occupied}
    spare = batches[occupied[0]]  # for empty slots
    indices = torch.stack([batches.get(slot, spare) for slot in range(len(stack.models))])
    train_on_batch(stack, as_float(stack.samples[indices.to(stack.samples.device)]))


def train_on_batch(stack: ReplicaStack, real: Tensor) -> None:
    """Make one training round of every model in a stack, on real samples [R, B, ...]."""
    with torch.no_grad():
        stack.template.training_round(VmapExecutor(stack, real.to(stack.rows[0].dtype)))
    for slot in stack.occupied:
        stack.model(slot).d_steps += 1


def build_empty_stack(
    model: GenerativeModel, slots: int, samples: Tensor, batch_size: int
) -> tuple[ReplicaStack, list[int]]:
    """Return an empty, traced stack for models like this one, and its slots that round differently.

    Kernels that work in blocks treat the last few numbers of a tensor differently, so the same
    model may get other bits in the last slot than in the first. Copies of the model are trained for
    a few steps to find such slots; if they stay empty, no run's bits depend on its slot.
    """
    stack = ReplicaStack([copy.deepcopy(model) for _ in range(slots)], samples, batch_size)
    for _ in range(TRIAL_STEPS):
        train_step(stack)
    states = [state_bytes(stack.remove(slot)) for slot in range(slots)]
    usual, _ = Counter(states).most_common(1)[0]
    return stack, [slot for slot, state in enumerate(states) if state != usual]
