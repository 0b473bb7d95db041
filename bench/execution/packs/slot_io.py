"""Build the stack of a pack, load runs into its slots, and write checkpoints of them."""

from pathlib import Path

import torch

from bench.config import build
from bench.core.errors import UserError
from bench.data.batches import to_device, training_data, with_mirrored
from bench.execution.packs.memory_check import as_too_large, check_memory
from bench.models.base import GenerativeModel
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.vectorized.compatibility import why_not_packable
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import build_empty_stack


def build_stack(job: Job, slots: int) -> tuple[ReplicaStack, list[int]]:
    """Return a stack for runs like this one and its slots that stay empty, or raise a UserError."""
    flips, batch_size = job.plain.get("flips", False), job.plain["batch_size"]
    train = with_mirrored(job.splits["train"], flips)
    model = build.build_model(job.cfg, train)
    if why := why_not_packable(model):
        fix = "remove packed= from the command; a sweep with pack=auto trains it alone"
        raise UserError(f"{job.plain['names']['variant']} cannot train in a pack: {why}", fix=fix)
    device = job.trainer_settings.device
    with as_too_large(slots, device):
        data = to_device(training_data(train), device)
        try:
            check_memory(job.cfg, data, slots)
            return build_empty_stack(model, slots, data, batch_size)
        except (UserError, torch.OutOfMemoryError):
            raise
        except Exception:  # any step that fails: each run will fail by it too, and record it
            stack = ReplicaStack([model, *[None] * (slots - 1)], data, batch_size)
    stack.remove(0)
    return stack, []


def insert_run(
    stack: ReplicaStack, slot: int, job: Job, model: GenerativeModel, monitor: Monitor
) -> None:
    """Fill a slot with a run's model, restored from its newest checkpoint if there is one."""
    if (newest := monitor.checkpoints.find_newest()) is None:
        stack.insert(slot, model)
        return
    content = torch.load(newest, map_location="cpu", weights_only=True)
    model.load_state_dict(content["state_dict"])
    model.on_load_checkpoint(content)
    monitor.load_state_dict(content["callbacks"][monitor.state_key])
    stack.insert(slot, model, content["optimizer_states"])


def write_checkpoint(stack: ReplicaStack, slot: int, monitor: Monitor, path: Path) -> None:
    """Write a slot's checkpoint, from which `insert_run` resumes, in Lightning's format."""
    callbacks = {monitor.state_key: monitor.state_dict()}
    torch.save({**stack.checkpoint(slot), "callbacks": callbacks}, path)
