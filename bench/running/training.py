"""Training one run with Lightning, and what is kept of it."""

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from omegaconf import OmegaConf
from safetensors.torch import save

from bench import build, together
from bench.data.batches import Batches
from bench.errors import Caution, Interrupted, UserError
from bench.files import sha256_of, write_bytes, write_json, write_text
from bench.models.base import GenerativeModel
from bench.models.sampler import Sampler
from bench.running.candidates import Candidates, tensors
from bench.running.chain import Chain, digest_of_tensor
from bench.running.checkpoints import Checkpoints
from bench.running.job import Job
from bench.running.member import Member
from bench.running.monitor import Monitor
from bench.running.pictures import Painter
from bench.runs.digests import DIGITS
from bench.runs.environment import environment
from bench.runs.folder import RunFolder
from bench.runs.pulse import Pulse, file_clock
from bench.scoring.features import batches_of
from bench.seeds import generator as stream
from bench.stopping import STOP

OPINIONS = 1000  # samples of each kind that the opponent is asked about at the end
NOT_THE_RUNS = ("runs_root", "sweep_name", "expected_run_id")
HALF_WRITTEN_SECONDS = 3600  # no file takes longer to write


class TimeLimit(UserError):
    """The run's own limit of wall time is over."""


def begin(job: Job) -> None:
    """Leave what a run is before it trains.

    Raises:
        DiskError: the folder cannot be written.
    """
    folder, plain = job.folder, job.plain
    kept = {k: v for k, v in plain.items() if k not in NOT_THE_RUNS}
    write_text(folder.config, OmegaConf.to_yaml(OmegaConf.create(kept), sort_keys=True))
    write_json(
        folder.path / "environment.json",
        environment(plain["threads"], _device_name(job.conduct.device)),
    )
    _sweep_up(folder)
    write_json(folder.data, job.judge.reals.facts)
    write_json(folder.path / "overrides.json", list(job.overrides))
    folder.write_status("running")


def train(job: Job, model: GenerativeModel, pulse: Pulse) -> None:
    """Train, and keep what outlives the training.

    Args:
        pulse: is told how far the training is.

    Raises:
        DiskError: the disk does not take the files.
        TimeLimit: `trainer.limit_minutes` are over; the last checkpoint is kept.
        Interrupted: Ctrl-C or a scheduler's signal, once a checkpoint is written.
    """
    folder, plain, how = job.folder, job.plain, job.conduct
    painter = Painter(folder.samples, job.splits["train"].samples[:1000], seed=0, label=job.label)
    _reset_peaks()
    monitor = (Monitor if together.size() == 1 else Member)(
        folder.history,
        Checkpoints(folder.checkpoints, how.keep_checkpoints),
        Chain(folder.chain, plain["d_steps"]),
        pulse,
        log_every=plain["log_every"],
        checkpoint_every=how.checkpoint_every,
        checkpoint_seconds=how.checkpoint_seconds,
        limit_seconds=None if how.limit_minutes is None else 60 * how.limit_minutes,
        progress=how.progress,
        label=job.label,
        draw=painter,
        drawing_steps=drawing_steps(plain["d_steps"], how.pictures),
        judge=Candidates(folder, job.judge),
        judge_every=job.judge.settings.every,
    )
    with STOP.interrupting(at_once=False):
        fit(job, model, monitor)
        _keep(job, model, monitor, painter)


def drawing_steps(d_steps: int, pictures: int) -> frozenset[int]:
    """Steps after which samples are drawn: evenly spread, the last one at the end."""
    return frozenset(math.ceil(d_steps * n / pictures) for n in range(1, pictures + 1))


def fit(job: Job, model: GenerativeModel, monitor: Monitor) -> None:
    """Lightning's loop, with nothing on its step that is not ours."""
    how, folder = job.conduct, job.folder
    data = Batches(
        job.splits["train"].samples,
        batch_size=job.plain["batch_size"],
        seed=job.plain["seed"],
        d_steps=job.plain["d_steps"],
        on_device=how.data == "device",
        workers=how.workers,
    )
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning on a newer torch
        warnings.filterwarnings("ignore", message=".*`srun` command is available.*")
        trainer = pl.Trainer(
            max_epochs=1,
            limit_train_batches=job.plain["d_steps"],
            accelerator={"cuda": "gpu"}.get(how.device.type, how.device.type),
            devices=1,
            plugins=[LightningEnvironment()],  # under Slurm, too: whom to ask and requeue is STOP's
            callbacks=[monitor],
            logger=build.build_loggers(job.cfg, folder.path) or False,
            log_every_n_steps=1,  # we log ourselves; a larger one only makes Lightning warn
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder.path,
        )
        resume = monitor.checkpoints.newest()
        try:
            trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
        except SystemExit as error:  # Lightning's answer to a KeyboardInterrupt and to SIGTERM
            if not monitor.interrupted:  # else the checkpoint is written: the end is ours
                raise KeyboardInterrupt from error
        finally:
            monitor.close()
            for logger in trainer.loggers:
                if hasattr(logger.experiment, "finish"):  # W&B would merge the next run into this
                    logger.experiment.finish()


def _sweep_up(folder: RunFolder) -> None:
    """Forget what a killed process had half written; another that is at work may be writing now."""
    now = file_clock(folder.path)
    for left in folder.path.rglob(".*.part"):
        with suppress(OSError):
            if now - left.stat().st_mtime > HALF_WRITTEN_SECONDS:
                left.unlink()


def _keep(job: Job, model: GenerativeModel, monitor: Monitor, painter: Painter) -> None:
    """Write what outlives the training, the status last."""
    facts = {**counts(job, model), "wall_seconds": round(monitor.elapsed, 3), **_memory()}
    if monitor.interrupted:
        job.folder.write_status("interrupted", "asked to stop", **facts)
        STOP.asked = False  # heard; a caller who goes on with other work may be asked again
        raise Interrupted
    if monitor.limited:
        raise TimeLimit(
            f"the limit of {job.conduct.limit_minutes:g} minutes of training was reached at step "
            f"{model.d_steps} of {job.plain['d_steps']}",
            fix="raise trainer.limit_minutes: the run goes on from there",
        )
    before = job.folder.status() or {}
    write_bytes(job.folder.generator, save(tensors(model.sampled_generator())))
    facts["digest"] = sha256_of(job.folder.generator)
    if before.get("digest", facts["digest"]) != facts["digest"]:
        facts["differs_from"] = _differing(job, before["digest"], facts["digest"])
    cause = divergence(model, monitor)
    if not cause:
        painter.finish(model)
        facts["opinions"] = opinions(job, model)
    _close_chain(job, model, monitor, facts["digest"], sampled=not cause)
    job.folder.write_status("diverged" if cause else "finished", cause, **facts)
    if not job.conduct.keep_checkpoint:
        monitor.checkpoints.clear()
    if monitor.judge_every is not None:
        monitor.judge.forget(ended=True)


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
    if f"step-{model.d_steps}" not in chain.links:
        chain.add(model)
    chain.links["generator"] = digest[:DIGITS]
    if sampled:
        chain.links["samples"] = digest_of_tensor(torch.cat(list(_first_samples(model))))
    chain.write()


def divergence(model: GenerativeModel, monitor: Monitor) -> str:
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


def opinions(job: Job, model: GenerativeModel) -> dict[str, float]:
    """What the opponent thinks of the first images that train, of others, and of generated ones."""
    settings = model.training_settings
    sampler = Sampler(model.sampled_generator(), settings.prior, settings.latent_dim)
    latents = stream(job.judge.settings.latent_seed, "score")
    fake = torch.cat(list(sampler.batches(OPINIONS, latents, OPINIONS)))
    parts = {"fake": fake}
    for name in ("train", "test"):
        parts[name] = next(batches_of(job.splits[name].samples[:OPINIONS], OPINIONS))
    with torch.no_grad():
        found = model.diagnose({name: part.to(model.device) for name, part in parts.items()})
    return {name: value for name, value in found.items() if math.isfinite(value)}


def counts(job: Job, model: GenerativeModel | None) -> dict[str, int]:
    """Steps of both players and images seen, by name."""
    d_steps, g_steps = (model.d_steps, model.g_steps) if model is not None else (0, 0)
    return {"d_steps": d_steps, "g_steps": g_steps, "images": d_steps * job.plain["batch_size"]}


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else device.type


def _reset_peaks() -> None:
    """Begin to measure peak memory anew: one process may carry out many runs."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):  # Linux: makes VmHWM the present size
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


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
