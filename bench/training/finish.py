"""Finish a training: write the generator, the last digests and pictures, and how the run ended."""

import math
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from bench.core.errors import Caution, Interrupted, UserError
from bench.core.files import sha256_of, write_bytes
from bench.core.seeds import generator as stream
from bench.core.signals import INTERRUPT
from bench.data.batches import pick, to_device, training_data
from bench.evaluation.checkpoint_selection import CheckpointSelector, state_tensors
from bench.models.base import GenerativeModel, usable_data
from bench.runs.digests import DIGITS
from bench.runs.folder import RAW
from bench.training.checkpoints import Checkpoints
from bench.training.digests import tensor_digest
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.training.sample_pictures import SamplePlotter

N_DIAGNOSTIC = 1000  # samples of each kind that D scores at the end


class TimeLimit(UserError):
    """The run has reached its own limit of wall time."""


def save_results(
    job: Job, model: GenerativeModel, monitor: Monitor, plotter: SamplePlotter
) -> None:
    """Write what outlives the training, status.json last."""
    facts: dict[str, Any] = {"wall_seconds": round(monitor.elapsed, 3), **_peak_memory()}
    facts |= step_counts(job, model)
    if monitor.interrupted:
        job.folder.write_status("interrupted", "asked to stop", **facts)
        INTERRUPT.acknowledge()
        raise Interrupted
    if monitor.time_is_up:
        limit = f"the limit of {job.trainer_settings.limit_minutes:g} minutes of training"
        message = f"{limit} was reached at step {model.d_steps} of {job.plain['d_steps']}"
        raise TimeLimit(message, fix="raise trainer.limit_minutes: the run goes on from there")
    # read now: another process may have finished the same run meanwhile
    earlier_digest = (job.folder.read_status() or {}).get("digest")
    write_bytes(job.folder.generator, save(state_tensors(model.sampled_generator())))
    digest = facts["digest"] = sha256_of(job.folder.generator)
    if model.average is not None:
        write_bytes(job.folder.generator_file(RAW), save(state_tensors(model.generator)))
    if earlier_digest not in (None, digest):
        facts["differs_from"] = earlier_digest
        _warn_of_other_weights(job.folder.run_id, earlier_digest, digest)
    cause = divergence_cause(model, monitor)
    if not cause:
        plotter.finish(model)
        facts["opinions"] = diagnose_discriminator(job, model)
    _finish_digests(model, monitor, digest, with_samples=not cause)
    job.folder.write_status("diverged" if cause else "finished", cause, **facts)
    delete_unneeded_files(job)


def delete_unneeded_files(job: Job) -> None:
    """Delete what a run keeps only while it trains: full checkpoints, weights that no row needs."""
    if not job.trainer_settings.keep_checkpoint:
        Checkpoints(job.folder.checkpoints, job.trainer_settings.keep_checkpoints).clear()
    if job.evaluator.settings.every is not None:
        CheckpointSelector(job.folder, job.evaluator).delete_unneeded_weights(ended=True)


def _warn_of_other_weights(run_id: str, before: str, now: str) -> None:
    """Warn that another process finished the same run with other weights."""
    head = f"run {run_id} was trained by two processes and their weights differ"
    kept = f"({before[:8]}, {now[:8]}): the later ones are kept, both digests are in status.json"
    message = f"{head} {kept}; `bench verify {run_id}` tells which is repeated"
    warnings.warn(message, Caution, stacklevel=3)


def _finish_digests(
    model: GenerativeModel, monitor: Monitor, digest: str, *, with_samples: bool
) -> None:
    """Add the last weights, the stored generator's file and its first samples, and write all."""
    log = monitor.digests
    if f"step-{model.d_steps}" not in log.entries:
        log.add(model)
    log.entries["generator"] = digest[:DIGITS]
    if with_samples:
        log.entries["samples"] = tensor_digest(_generate_samples(model))
    log.write()


def divergence_cause(model: GenerativeModel, monitor: Monitor) -> str:
    """Return what is not finite in a trained model, in one sentence; empty if nothing."""
    if monitor.diverged_at is not None:
        return f"a loss was not finite at step {monitor.diverged_at}"
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        return "a weight was not finite at the end"
    if not bool(torch.isfinite(_generate_samples(model)).all()):
        return "a sample was not finite at the end"
    return ""


def _generate_samples(model: GenerativeModel) -> torch.Tensor:
    """Generate samples from 64 latents that are equal for all runs, [64, ...]."""
    return model.sampler().samples(64, torch.Generator(model.device).manual_seed(0), 64)


def diagnose_discriminator(job: Job, model: GenerativeModel) -> dict[str, float]:
    """Return statistics of D on the first training images, on test images and on generated ones."""
    latents = stream(job.evaluator.settings.latent_seed, "score")
    (fake,) = model.sampler().batches(N_DIAGNOSTIC, latents, N_DIAGNOSTIC)
    samples = {"fake": to_device(fake, model.device)}
    for name in ("train", "test"):
        data = usable_data(training_data(job.splits[name]), model)
        real = pick(data, torch.arange(min(N_DIAGNOSTIC, len(data.samples))))
        samples[name] = to_device(real, model.device)
    with torch.no_grad():
        statistics = model.discriminator_diagnostics(samples)
    return {name: value for name, value in statistics.items() if math.isfinite(value)}


def step_counts(job: Job, model: GenerativeModel | None) -> dict[str, int]:
    """Return steps of both players and images seen, by name; zeros without a model."""
    d_steps, g_steps = (model.d_steps, model.g_steps) if model is not None else (0, 0)
    return {"d_steps": d_steps, "g_steps": g_steps, "images": d_steps * job.plain["batch_size"]}


def _peak_memory() -> dict[str, float]:
    """Return peak memory since the last reset, of the process (on Linux) and of the GPU."""
    peaks = {}
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM"))
        peaks["peak_memory_gib"] = int(peak.split()[1]) / 2**20
    if torch.cuda.is_available():
        peaks["peak_device_memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return {name: round(value, 3) for name, value in peaks.items()}
