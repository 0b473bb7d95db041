"""The end of a training: what is kept of it, and how it ended."""

import math
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch
from safetensors.torch import save

from bench.core.errors import Caution, Interrupted, UserError
from bench.core.files import sha256_of, write_bytes
from bench.core.seeds import generator as stream
from bench.core.signals import INTERRUPT
from bench.evaluation.checkpoint_selection import state_tensors
from bench.models.base import GenerativeModel
from bench.networks.sampler import Sampler
from bench.runs.digests import DIGITS
from bench.scoring.features import batches_of
from bench.training.digests import tensor_digest
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.training.sample_pictures import SamplePlotter

N_DIAGNOSTIC = 1000  # samples of each kind that D is asked about at the end


class TimeLimit(UserError):
    """The run's own limit of wall time is over."""


def save_results(
    job: Job, model: GenerativeModel, monitor: Monitor, painter: SamplePlotter
) -> None:
    """Write what outlives the training, the status last."""
    facts = {**step_counts(job, model), "wall_seconds": round(monitor.elapsed, 3), **_memory()}
    if monitor.interrupted:
        job.folder.write_status("interrupted", "asked to stop", **facts)
        INTERRUPT.acknowledge()
        raise Interrupted
    if monitor.limited:
        minutes = job.trainer_settings.limit_minutes
        raise TimeLimit(
            f"the limit of {minutes:g} minutes of training was reached at step "
            f"{model.d_steps} of {job.plain['d_steps']}",
            fix="raise trainer.limit_minutes: the run goes on from there",
        )
    before = job.folder.status() or {}
    write_bytes(job.folder.generator, save(state_tensors(model.sampled_generator())))
    facts["digest"] = sha256_of(job.folder.generator)
    if before.get("digest", facts["digest"]) != facts["digest"]:
        facts["differs_from"] = _differing(job, before["digest"], facts["digest"])
    cause = divergence_cause(model, monitor)
    if not cause:
        painter.finish(model)
        facts["opinions"] = diagnose_discriminator(job, model)
    _close_chain(job, model, monitor, facts["digest"], sampled=not cause)
    job.folder.write_status("diverged" if cause else "finished", cause, **facts)
    if not job.trainer_settings.keep_checkpoint:
        monitor.checkpoints.clear()
    if monitor.select_every is not None:
        monitor.selector.forget(ended=True)


def _differing(job: Job, before: str, now: str) -> str:
    """Another process ended the same run with other bits: said, and kept beside the status."""
    warnings.warn(
        f"run {job.folder.run_id} was trained by two processes and their weights differ "
        f"({before[:8]}, {now[:8]}): the later ones stand, both digests are in status.json; "
        f"`bench verify {job.folder.run_id}` tells which is repeated",
        Caution,
        stacklevel=3,
    )
    return before


def _close_chain(
    job: Job, model: GenerativeModel, monitor: Monitor, digest: str, *, sampled: bool
) -> None:
    """The last links: the generator that is kept, and what it draws."""
    chain = monitor.chain
    if f"step-{model.d_steps}" not in chain.entries:
        chain.add(model)
    chain.entries["generator"] = digest[:DIGITS]
    if sampled:
        chain.entries["samples"] = tensor_digest(torch.cat(list(_first_samples(model))))
    chain.write()


def divergence_cause(model: GenerativeModel, monitor: Monitor) -> str:
    """What is not finite about a trained model, in one sentence; empty if all is."""
    if monitor.diverged_at is not None:
        return f"a loss was not finite at step {monitor.diverged_at}"
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        return "a weight was not finite at the end"
    if not all(bool(torch.isfinite(b).all()) for b in _first_samples(model)):
        return "a sample was not finite at the end"
    return ""


def _first_samples(model: GenerativeModel) -> Iterator[torch.Tensor]:
    """The same 64 latents' samples for every run."""
    settings = model.training_settings
    sampler = Sampler(model.sampled_generator(), settings.prior, settings.latent_dim)
    return sampler.batches(64, torch.Generator(model.device).manual_seed(0), 64)


def diagnose_discriminator(job: Job, model: GenerativeModel) -> dict[str, float]:
    """Return statistics of D on the first training images, on test images and on generated ones."""
    settings = model.training_settings
    sampler = Sampler(model.sampled_generator(), settings.prior, settings.latent_dim)
    latents = stream(job.evaluator.settings.latent_seed, "score")
    fake = torch.cat(list(sampler.batches(N_DIAGNOSTIC, latents, N_DIAGNOSTIC)))
    parts = {"fake": fake}
    for name in ("train", "test"):
        parts[name] = next(batches_of(job.splits[name].samples[:N_DIAGNOSTIC], N_DIAGNOSTIC))
    with torch.no_grad():
        found = model.discriminator_diagnostics(
            {name: part.to(model.device) for name, part in parts.items()}
        )
    return {name: value for name, value in found.items() if math.isfinite(value)}


def step_counts(job: Job, model: GenerativeModel | None) -> dict[str, int]:
    """Steps of both players and images seen, by name."""
    d_steps, g_steps = (model.d_steps, model.g_steps) if model is not None else (0, 0)
    return {"d_steps": d_steps, "g_steps": g_steps, "images": d_steps * job.plain["batch_size"]}


def _memory() -> dict[str, float]:
    """Peak memory since the reset: of the process, where Linux tells it, and of the device."""
    facts = {}
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM"))
        facts["peak_memory_gib"] = int(peak.split()[1]) / 2**20
    if torch.cuda.is_available():
        facts["peak_device_memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return {name: round(value, 3) for name, value in facts.items()}
