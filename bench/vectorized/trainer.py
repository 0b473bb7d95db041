"""Train the models of a stack, and find slots that round differently on this machine."""

import copy
from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.utils.parametrize import is_parametrized

from bench.core.batch import Batch, as_batch
from bench.core.text import shorten
from bench.data.batches import pick
from bench.models.base import GenerativeModel
from bench.vectorized.stack import ReplicaStack, state_bytes
from bench.vectorized.vmap_executor import VmapExecutor

TRIAL_STEPS = 3  # enough for slots that round differently to show


def train_step(stack: ReplicaStack) -> None:
    """Make one discriminator step, and a due generator's, of every model; ValueError if none."""
    if not stack.occupied:
        raise ValueError("the stack is empty: insert a model first")
    real = _draw_batches(stack, stack.orders)
    fresh = _draw_batches(stack, stack.fresh_orders) if stack.template.reads_fresh_real else real
    train_on_batch(stack, real, fresh)


def _draw_batches(stack: ReplicaStack, orders: Sequence[Iterator[Tensor]]) -> Batch:
    """Return each slot's next batch, [R, B, ...]; empty slots get another's."""
    batches = {slot: next(orders[slot]) for slot in stack.occupied}
    spare = batches[stack.occupied[0]]
    indices = torch.stack([batches.get(slot, spare) for slot in range(len(stack.models))])
    return pick(stack.data, indices)


def train_on_batch(
    stack: ReplicaStack, real: Tensor | Batch, fresh_real: Tensor | Batch | None = None
) -> None:
    """Make one training round of every model in a stack.

    Args:
        real: real samples, [R, B, ...].
        fresh_real: those of the generator's steps where they have their own.
    """
    dtype = stack.rows[0].dtype
    given = as_batch(real), as_batch(real if fresh_real is None else fresh_real)
    batches = [part._replace(samples=part.samples.to(dtype)) for part in given]
    stack.set_scheduled_numbers()
    with torch.no_grad():
        stack.template.training_round(VmapExecutor(stack, *batches))
    for slot in stack.occupied:
        stack.model(slot).d_steps += 1


def why_not_traceable(model: GenerativeModel, shape: Sequence[int], batch_size: int) -> str:
    """Return why the moves of a model cannot be traced, one clause; empty if they can.

    To be asked of models with parts that are not the suite's: only a trial tells.

    Args:
        shape: of one sample.
        batch_size: B.
    """
    labels = {"labels": torch.zeros(batch_size, dtype=torch.int64)}
    data = Batch(torch.zeros(batch_size, *shape), labels)
    stack = ReplicaStack([copy.deepcopy(model)], data, batch_size)
    with torch.random.fork_rng():
        for _ in range(TRIAL_STEPS):
            try:
                train_step(stack)
            except Exception as error:  # whatever torch makes of a stranger's code
                reason = " ".join(str(error).split()).partition(". ")[0]
                return f"a step of it cannot be traced ({shorten(reason, 100)})"
    return ""


def has_parts_of_others(model: GenerativeModel) -> bool:
    """Return whether a model has layers that are neither the suite's nor torch's plain ones."""
    known = ("bench.", "torch.nn.modules")
    return any(
        is_parametrized(layer) or not type(layer).__module__.startswith(known)
        for layer in model.modules()
    )


def build_empty_stack(
    model: GenerativeModel, slots: int, data: Tensor | Batch, batch_size: int
) -> tuple[ReplicaStack, list[int]]:
    """Return an empty, traced stack for models like this one, and its slots that round differently.

    Kernels that work in blocks treat the last few numbers of a tensor differently, so the same
    model may get other bits in the last slot than in the first. Copies of the model are trained for
    a few steps to find such slots; if they stay empty, no run's bits depend on its slot.
    """
    stack = ReplicaStack([copy.deepcopy(model) for _ in range(slots)], data, batch_size)
    for _ in range(TRIAL_STEPS):
        train_step(stack)
    states = [state_bytes(stack.remove(slot)) for slot in range(slots)]
    usual, _ = Counter(states).most_common(1)[0]
    return stack, [slot for slot, state in enumerate(states) if state != usual]
