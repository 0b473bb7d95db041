"""Train a case in the suite's own Lightning loop, or in a bare PyTorch loop, and time it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from bench.config import build, validate
from bench.core.determinism import deterministic_algorithms
from bench.data.split import Split
from bench.evaluation.checkpoint_selection import CheckpointSelector
from bench.models.executor import frozen
from bench.runs.folder import RunFolder
from bench.runs.heartbeat import Heartbeat
from bench.training.checkpoints import Checkpoints
from bench.training.digests import DigestLog
from bench.training.fit import fit
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.training.tracker import Tracker

BUDGET = 15_625  # the study's budget: a block then computes digests as rarely as a full run
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # makes cuBLAS deterministic

Clock = Callable[[], float]


def synchronize(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class TimedMonitor(Monitor):
    """A run's monitor that also measures the time of the training loop by `clock`, in seconds."""

    clock: Clock = staticmethod(time.process_time)

    def on_train_start(self, trainer, model):
        """Start the clock when everything is set up."""
        super().on_train_start(trainer, model)
        synchronize(model.device)
        self.loop_started_at = self.clock()

    def on_train_end(self, trainer, model):
        """Stop the clock before the history is written."""
        synchronize(model.device)
        self.loop_seconds = self.clock() - self.loop_started_at
        super().on_train_end(trainer, model)


def suite_seconds(
    cfg, splits: dict[str, Split], steps: int, folder: Path, clock: Clock = time.process_time
) -> float:
    """Return seconds of a run's training loop, with logging, progress bar and checks.

    Args:
        clock: seconds; of this process, or `time.perf_counter` where others work beside it.
    """
    plain = validate.validate_config(cfg)
    trainer_settings = build.instantiate(cfg.trainer)
    job = Job(cfg, plain, trainer_settings, splits, None, RunFolder(folder, "benchmark"))
    monitor = TimedMonitor(
        job.folder.history,
        Checkpoints(job.folder.checkpoints, 2),
        DigestLog(job.folder.digests, BUDGET),
        Heartbeat(job.folder.heartbeat, steps),
        log_every=plain["log_every"],
        checkpoint_every=trainer_settings.checkpoint_every,
        checkpoint_seconds=trainer_settings.checkpoint_seconds,
        limit_seconds=None,
        progress=True,
        label="suite",
        save_samples=lambda model, loggers: None,
        picture_steps=frozenset(),
        selector=CheckpointSelector(job.folder, None),
        select_every=None,
        tracker=Tracker(),
    )
    monitor.clock = clock
    with deterministic_algorithms():
        fit(job, build.build_model(cfg, splits["train"]), monitor)
    return monitor.loop_seconds


def slope_term(discriminator: nn.Module, real: Tensor, fake: Tensor, weight: float) -> Tensor:
    """Return WGAN-GP's penalty as a textbook writes it."""
    mix = torch.rand(len(real), *(1,) * (real.ndim - 1), device=real.device)
    points = (real + mix * (fake - real)).requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(points).sum(), points, create_graph=True)
    return weight * (slope.flatten(1).norm(dim=1) - 1).square().mean()


def discriminator_loss(cfg, discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Return the loss of a discriminator step, non-saturating or WGAN-GP's."""
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    if "penalty_weight" not in cfg.hyperparameters:
        return softplus(-real_logits).mean() + softplus(fake_logits).mean()
    penalty = slope_term(discriminator, real, fake, cfg.hyperparameters.penalty_weight)
    return fake_logits.mean() - real_logits.mean() + penalty


def generator_loss(cfg, discriminator: nn.Module, fake: Tensor) -> Tensor:
    """Return the loss of a generator step, non-saturating or Wasserstein."""
    logits = discriminator(fake)
    penalised = "penalty_weight" in cfg.hyperparameters
    return -logits.mean() if penalised else softplus(-logits).mean()


def draw_latents(cfg, device: torch.device) -> Tensor:
    """Draw a batch of latents."""
    return 2 * torch.rand(cfg.batch_size, cfg.network.latent_dim, device=device) - 1


def optimizer_step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Compute the gradient of the loss and make one step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def bare_seconds(
    cfg, samples: Tensor, steps: int, *, two_passes: bool, clock: Clock = time.process_time
) -> float:
    """Return seconds of a loop that does nothing but train, on the device of the samples."""
    device = samples.device
    model, n_dis = build.build_model(cfg).to(device), cfg.hyperparameters.n_dis
    generator, discriminator = model.generator, model.discriminator
    g_optimizer, d_optimizer = model.configure_optimizers()
    synchronize(device)
    started_at = clock()
    for step in range(steps):
        real = samples[torch.randint(len(samples), (cfg.batch_size,), device=device)]
        real = real.float().div_(255) if real.dtype == torch.uint8 else real
        moves, latent = step % n_dis == 0, draw_latents(cfg, device)
        with torch.set_grad_enabled(moves and not two_passes):
            fake = generator(latent)
        optimizer_step(d_optimizer, discriminator_loss(cfg, discriminator, real, fake.detach()))
        if moves:
            with frozen(discriminator):
                fake = generator(latent) if two_passes else fake
                optimizer_step(g_optimizer, generator_loss(cfg, discriminator, fake))
    synchronize(device)
    return clock() - started_at


def load_case(overrides: list[str], steps: int, accelerator: str = "cpu") -> tuple:
    """Return config and data of a case: the ring, the digits, or noise of another image size."""
    preset = [] if {"sweeps=quick", "preset=study"} & set(overrides) else ["preset=study"]
    fixed = [f"trainer.accelerator={accelerator}", f"d_steps={steps}"]
    cfg = build.compose_config([*preset, *overrides, *fixed])
    shape = tuple(cfg.dataset.shape)
    if cfg.names.dataset == "digits" and shape != (1, 8, 8):
        noise = torch.randint(256, (2000, *shape), dtype=torch.uint8).numpy()
        return cfg, {"train": Split(noise, None)}
    return cfg, build.build_splits(cfg)[1]
