"""The life of one run: identity, training, what is kept, score, row."""

import logging
import math
import os
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from safetensors.torch import save

from bench import build
from bench.data.batches import Batches
from bench.data.split import Split
from bench.errors import Interrupted, UserError
from bench.files import sha256_of, write_bytes, write_json, write_text
from bench.models.base import GenerativeModel
from bench.models.sampler import Sampler
from bench.running.conduct import Conduct
from bench.running.monitor import Monitor
from bench.running.pictures import Painter
from bench.running.scored import Judge, floor_is_missing, judge_of, score_floor, score_run, scored
from bench.runs.environment import environment
from bench.runs.folder import SETTLED, RunFolder
from bench.runs.rows import Row
from bench.stopping import STOP


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        run_id: of the run.
        status: "finished", "diverged" or "failed".
        skipped: it was there already.
        row: its row under the protocol asked for, if any.
        cause: one sentence where it did not finish.
        folder: of the run.
    """

    run_id: str
    status: str
    skipped: bool
    row: Row | None
    cause: str
    folder: Path


@dataclass(frozen=True)
class Job:
    """A checked config with its data and its judge, ready to run."""

    cfg: DictConfig
    plain: dict[str, Any]
    conduct: Conduct
    splits: dict[str, Split]
    judge: Judge
    folder: RunFolder

    @property
    def label(self) -> str:
        """variant on dataset, seed n"""
        names = self.plain["names"]
        return f"{names['variant']} on {names['dataset']}, seed {self.plain['seed']}"


def prepare(cfg: DictConfig) -> Job:
    """Check the config, read the data, try the judge and give the run its name.

    Raises:
        UserError: anything that a user can mend, before anything is written.
    """
    plain = build.check(cfg)
    with build.explaining("trainer"):
        conduct: Conduct = build.make(cfg.trainer)
    source, splits = build.build_splits(cfg)
    judge = judge_of(cfg, plain, source, splits, conduct.device)
    run_id = build.identity_of(plain, splits, conduct.device.type)
    return Job(cfg, plain, conduct, splits, judge, RunFolder(Path(plain["runs_root"]), run_id))


def execute(job: Job) -> Outcome:
    """Train and score a run, or as much of it as is not there yet.

    Raises:
        UserError: the config does not build, or the disk does not take the files.
        Interrupted: Ctrl-C or SIGTERM; the run goes on from here when started again.
    """
    if STOP.asked:
        raise Interrupted
    status = job.folder.status()
    skipped = status is not None and status["status"] in SETTLED
    with settings(job.plain), STOP.interrupting(at_once=True):
        model = None if skipped else build.build_model(job.cfg)
        try:
            if model is not None:
                _train(job, model)
            _score(job)
        except (UserError, KeyboardInterrupt):
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
            job.folder.write_error(traceback.format_exc())
            status = job.folder.status() or {}
            if status.get("status") in SETTLED:  # trained, not scored: the next launch scores it
                return Outcome(job.folder.run_id, "failed", skipped, None, cause, job.folder.path)
            job.folder.write_status("failed", cause, **_counts(job, model))
    return _outcome(job, skipped=skipped)


def _outcome(job: Job, *, skipped: bool) -> Outcome:
    status = job.folder.status() or {}
    row = scored(job.folder, job.judge)
    return Outcome(
        job.folder.run_id, status["status"], skipped, row, status["cause"], job.folder.path
    )


def _score(job: Job) -> None:
    """The run's row, and once for its data and protocol the floor's."""
    row = scored(job.folder, job.judge)
    if row is None:
        row = score_run(job.folder, job.plain, job.judge)
    if floor_is_missing(job.folder.root, row):
        score_floor(job.folder.root, job.plain, job.judge, row)
    (job.folder.path / "error.txt").unlink(missing_ok=True)


@contextmanager
def settings(plain: dict[str, Any]) -> Iterator[None]:
    """Threads, determinism and float32 products of this process, given back afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS is not deterministic
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.set_num_threads(plain["threads"])
    torch.use_deterministic_algorithms(True)
    wanted = plain["precision"] == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = wanted
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32


def _train(job: Job, model: GenerativeModel) -> None:
    folder, plain, train = job.folder, job.plain, job.splits["train"].samples
    kept = {k: v for k, v in plain.items() if k not in ("runs_root", "sweep_name")}
    write_text(folder.config, OmegaConf.to_yaml(OmegaConf.create(kept), sort_keys=True))
    write_json(
        folder.path / "environment.json",
        environment(plain["threads"], _device_name(job.conduct.device)),
    )
    for left in folder.path.rglob(".*.part"):  # of a process that was killed while writing
        left.unlink(missing_ok=True)
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
    )
    with STOP.interrupting(at_once=False):
        _fit(job, model, monitor)
        _keep(job, model, monitor, painter)


def drawing_steps(d_steps: int, pictures: int) -> frozenset[int]:
    """Steps after which samples are drawn: evenly spread, the last one at the end."""
    return frozenset(math.ceil(d_steps * n / pictures) for n in range(1, pictures + 1))


def _fit(job: Job, model: GenerativeModel, monitor: Monitor) -> None:
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
        trainer = pl.Trainer(
            max_epochs=1,
            limit_train_batches=job.plain["d_steps"],
            accelerator={"cuda": "gpu"}.get(how.device.type, how.device.type),
            devices=1,
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
        except SystemExit as error:  # Lightning's answer to a KeyboardInterrupt
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
    facts = {**_counts(job, model), "wall_seconds": round(monitor.seconds, 3), **_memory()}
    if monitor.interrupted:
        job.folder.write_status("interrupted", "asked to stop", **facts)
        STOP.asked = False  # heard; a caller who goes on with other work may be asked again
        raise Interrupted
    write_bytes(job.folder.generator, save(_tensors(model.sampled_generator())))
    facts["digest"] = sha256_of(job.folder.generator)
    cause = divergence(model, monitor)
    if cause:
        job.folder.write_status("diverged", cause, **facts)
    else:
        painter.finish(model)
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


def _tensors(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: t.detach().cpu().contiguous() for name, t in module.state_dict().items()}


def _counts(job: Job, model: GenerativeModel | None) -> dict[str, int]:
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
