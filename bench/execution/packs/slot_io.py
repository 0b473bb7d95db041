"""A run's way into a slot of a stack, and onto the disk from there."""

from pathlib import Path

import torch

from bench.config import build
from bench.core.errors import UserError
from bench.data.batches import held
from bench.execution.packs.memory_check import check_memory, too_large
from bench.models.base import GenerativeModel
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.vectorized.compatibility import refusal
from bench.vectorized.stack import Stack
from bench.vectorized.trainer import empty_stack


def stack_for(job: Job, slots: int) -> tuple[Stack, list[int]]:
    """A stack for runs like this one, and which of its slots are to stay empty.

    Raises:
        UserError: such runs cannot be packed, or not so many.
    """
    model, batch_size = build.build_model(job.cfg), job.plain["batch_size"]
    why = refusal(model)
    if why:
        raise UserError(
            f"{job.plain['names']['variant']} cannot train in a pack: {why}",
            fix="leave packed= out; a sweep with pack=auto runs it alone",
        )
    model.show(job.splits["train"])
    with too_large(slots, job.conduct.device):
        samples = held(job.splits["train"].samples).to(job.conduct.device)
        try:
            check_memory(job.cfg, samples, slots)
            return empty_stack(model, slots, samples, batch_size)
        except (UserError, torch.OutOfMemoryError):
            raise
        except Exception:  # a step that fails, whatever of: the runs meet it too, and keep it
            stack = Stack([model, *[None] * (slots - 1)], samples, batch_size)
    stack.take(0)
    return stack, []


def put(stack: Stack, slot: int, job: Job, model: GenerativeModel, monitor: Monitor) -> None:
    """Fill a slot, from the run's newest checkpoint where there is one."""
    model.show(job.splits["train"])
    newest = monitor.checkpoints.newest()
    if newest is None:
        stack.put(slot, model)
        return
    content = torch.load(newest, map_location="cpu", weights_only=True)
    model.load_state_dict(content["state_dict"])
    model.on_load_checkpoint(content)
    monitor.load_state_dict(content["callbacks"][monitor.state_key])
    stack.put(slot, model, content["optimizer_states"])


def write(stack: Stack, slot: int, monitor: Monitor, path: Path) -> None:
    """Write what `put` goes on from, in the form of Lightning's checkpoints."""
    callbacks = {monitor.state_key: monitor.state_dict()}
    torch.save({**stack.checkpoint(slot), "callbacks": callbacks}, path)
