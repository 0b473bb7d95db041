"""Compare steps per second of the suite's training with those of a bare PyTorch loop.

Both use the same networks, losses, optimizer and batches; blocks of both alternate and medians are
compared. Read the ratios: seconds depend on the machine and its other load. Both reuse the
discriminator's samples for the generator's step (`model.reuse_samples`), as bare loops usually do:
the study's second pass through the generator is work, not overhead.
"""

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import softplus

from bench.config import build, validate
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
CASES = {  # name: overrides, steps of a block
    "toy MLP": (["preset=study", "dataset=ring", "hyperparameters.d_batch_norm=false"], 800),
    "digits": (["sweeps=quick"], 300),
    "28x28": (["preset=study", "dataset.shape=[1,28,28]"], 12),
}


class TimedMonitor(Monitor):
    """A run's monitor that also measures the time of the training loop."""

    def on_train_start(self, trainer, model):
        """Start the clock when everything is set up."""
        super().on_train_start(trainer, model)
        self.started = time.perf_counter()

    def on_train_end(self, trainer, model):
        """Stop the clock before the history is written."""
        self.loop_seconds = time.perf_counter() - self.started
        super().on_train_end(trainer, model)


def suite_rate(cfg, splits: dict[str, Split], steps: int, folder: Path) -> float:
    """Return steps per second of a run's training loop, with logging, progress bar and checks."""
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
    fit(job, build.build_model(cfg, splits["train"]), monitor)
    return steps / monitor.loop_seconds


def bare_rate(cfg, samples: Tensor, steps: int) -> float:
    """Return steps per second of a loop that does nothing but train."""
    model = build.build_model(cfg)
    generator, discriminator = model.generator, model.discriminator
    g_optimizer, d_optimizer = model.configure_optimizers()
    started = time.perf_counter()
    for _ in range(steps):
        real = samples[torch.randint(len(samples), (cfg.batch_size,))]
        real = real.float().div_(255) if real.dtype == torch.uint8 else real
        fake = generator(2 * torch.rand(cfg.batch_size, cfg.network.latent_dim) - 1)
        d_loss = (
            softplus(-discriminator(real)).mean() + softplus(discriminator(fake.detach())).mean()
        )
        optimizer_step(d_optimizer, d_loss)
        with frozen(discriminator):
            optimizer_step(g_optimizer, softplus(-discriminator(fake)).mean())
    return steps / (time.perf_counter() - started)


def optimizer_step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Compute the gradient of the loss and make one step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def load_case(overrides: list[str], steps: int) -> tuple:
    """Return config and data of a case: the ring, the digits, or noise of another image size."""
    cfg = build.compose_config([*overrides, f"d_steps={steps}"])
    shape = tuple(cfg.dataset.shape)
    if cfg.names.dataset == "digits" and shape != (1, 8, 8):
        noise = torch.randint(256, (2000, *shape), dtype=torch.uint8).numpy()
        return cfg, {"train": Split(noise, None)}
    return cfg, build.build_splits(cfg)[1]


def main() -> None:
    """Print one line per case."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9, help="alternating blocks of each")
    options.add_argument("--threads", type=int, default=1)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"{'case':<10} {'suite':>10} {'bare':>10} {'ratio':>7}  (median steps/s, threads "
        f"{arguments.threads}, {arguments.rounds} rounds)"
    )
    for name, (overrides, steps) in CASES.items():
        fixed = ["trainer.accelerator=cpu", "model.reuse_samples=true"]
        cfg, splits = load_case([*overrides, *fixed], steps)
        samples = torch.from_numpy(splits["train"].samples)
        rates: list[tuple[float, float]] = []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(arguments.rounds + 1):
                ours = suite_rate(cfg, splits, steps, Path(folder))
                rates.append((ours, bare_rate(cfg, samples, steps)))
        suite_rates, bare_rates = zip(*rates[1:], strict=True)  # the first round warms up
        ratio = statistics.median(a / b for a, b in rates[1:])
        print(
            f"{name:<10} {statistics.median(suite_rates):>10.1f} "
            f"{statistics.median(bare_rates):>10.1f} {ratio:>7.2f}",
            flush=True,
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
