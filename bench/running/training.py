"""Training one run with Lightning, and what is kept of it."""

import logging
import math
import warnings
from contextlib import suppress
from pathlib import Path

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from omegaconf import OmegaConf
from safetensors.torch import save

from bench import build
from bench.data.batches import Batches
from bench.errors import Interrupted, UserError
from bench.files import sha256_of, write_bytes, write_json, write_text
from bench.models.base import GenerativeModel
from bench.models.sampler import Sampler
from bench.running.candidates import Candidates, tensors
from bench.running.job import Job
from bench.running.monitor import Monitor
from bench.running.pictures import Painter
from bench.runs.environment import environment
from bench.scoring.features import batches_of
from bench.seeds import generator as stream
from bench.stopping import STOP

OPINIONS = 1000  # samples of each kind that the opponent is asked about at the end


def train(job: Job, model: GenerativeModel) -> None:
    """Train, and keep what outlives the training.

    Raises:
        UserError: the disk does not take the files, or a checkpoint to go on from is damaged.
        Interrupted: Ctrl-C or SIGTERM, once a checkpoint is written.
    """
    folder, plain, train = job.folder, job.plain, job.splits["train"].samples
    kept = {k: v for k, v in plain.items() if k not in ("runs_root", "sweep_name")}
    write_text(folder.config, OmegaConf.to_yaml(OmegaConf.create(kept), sort_keys=True))
    write_json(
        folder.path / "environment.json",
        environment(plain["threads"], _device_name(job.conduct.device)),
    )
    for left in folder.path.rglob(".*.part"):  # of a process that was killed while writing
        left.unlink(missing_ok=True)
    write_json(folder.data, job.judge.reals.facts)
    folder.write_status("running")
    how = job.conduct
    painter = Painter(folder.samples, train[:1000], seed=0, label=job.label)
    _reset_peaks()
    monitor = Monitor(
        folder.history,
        folder.checkpoint,
        log_every=plain["log_every"],
        checkpoint_every=how.checkpoint_every,
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
        resume = _readable(folder.checkpoint)
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


def _readable(checkpoint: Path) -> Path | None:
    """The checkpoint to go on from, if there is one.

    Raises:
        UserError: it is damaged.
    """
    if not checkpoint.is_file():
        return None
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        missing = {"d_steps", "g_steps", "streams", "losses", "state_dict"} - content.keys()
        if missing:
            raise ValueError(f"without {', '.join(sorted(missing))}")
    except Exception as error:  # zip's, pickle's and torch's own kinds
        reason = " ".join(str(error).split())[:80]
        raise UserError(
            f"checkpoint {checkpoint} is damaged ({reason})",
            fix="delete it: the run then starts anew, to the same bits",
        ) from error
    return checkpoint


def _keep(job: Job, model: GenerativeModel, monitor: Monitor, painter: Painter) -> None:
    """Write what outlives the training, the status last."""
    facts = {**counts(job, model), "wall_seconds": round(monitor.elapsed, 3), **_memory()}
    if monitor.interrupted:
        job.folder.write_status("interrupted", "asked to stop", **facts)
        STOP.asked = False  # heard; a caller who goes on with other work may be asked again
        raise Interrupted
    write_bytes(job.folder.generator, save(tensors(model.sampled_generator())))
    facts["digest"] = sha256_of(job.folder.generator)
    cause = divergence(model, monitor)
    if cause:
        job.folder.write_status("diverged", cause, **facts)
    else:
        painter.finish(model)
        facts["opinions"] = opinions(job, model)
        job.folder.write_status("finished", **facts)
    if not job.conduct.keep_checkpoint:
        job.folder.checkpoint.unlink(missing_ok=True)


def divergence(model: GenerativeModel, monitor: Monitor) -> str:
    """What is not finite about a trained model, in one sentence; empty if all is."""
    if monitor.diverged_at is not None:
        return f"a loss was not finite at step {monitor.diverged_at}"
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        return "a weight was not finite at the end"
    settings_ = model.training_settings
    sampler = Sampler(model.sampled_generator(), settings_.prior, settings_.latent_dim)
    latents = torch.Generator(model.device).manual_seed(0)
    if not all(bool(torch.isfinite(b).all()) for b in sampler.batches(64, latents, 64)):
        return "a sample was not finite at the end"
    return ""


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
