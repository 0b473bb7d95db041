"""Compare the suite's training with a bare loop, plain Lightning and torchgan, in one run.

All train the same networks with the same optimizer on the same batches, in alternating blocks; the
table holds the median of each contender's time over that of the bare loop in the same round. Read
the ratios: milliseconds depend on the machine and its other load. A bare loop that reuses the
discriminator's samples for the generator's step is 1.00; the study passes the latents through the
generator twice, which the second column does, as does the suite by default.

torchgan 0.1 is not a dependency (`pip install torchgan==0.1.0`): without it its column is empty.
Its WGAN-GP is another algorithm: two updates a batch, by the norm of the whole batch's gradient.
"""

import argparse
import contextlib
import io
import logging
import os
import resource
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from loops import (
    bare_seconds,
    discriminator_loss,
    draw_latents,
    generator_loss,
    load_case,
    suite_seconds,
)
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from bench.config import build
from bench.core.shims import ensure_torchvision
from bench.data.lightning import pl
from bench.data.split import Split

PENALTY = ["variant=wgan_gp", "hyperparameters.d_batch_norm=false"]
CASES = {  # name: overrides, steps of a block
    "toy MLP, NS": (["dataset=ring", "hyperparameters.d_batch_norm=false"], 600),
    "toy MLP, WGAN-GP, n_dis 5": (["dataset=ring", *PENALTY], 500),
    "digits, NS": (["sweeps=quick"], 250),
    "digits, WGAN-GP, n_dis 1": (["sweeps=quick", *PENALTY, "hyperparameters.n_dis=1"], 200),
    "28x28, NS": (["dataset.shape=[1,28,28]"], 10),
    "28x28, WGAN-GP, n_dis 5": (["dataset.shape=[1,28,28]", *PENALTY], 10),
}
REUSING, TWO_PASSES, OURS, OURS_REUSING = "bare", "bare, two passes", "ours", "ours, reusing"
LIGHTNING, TORCHGAN = "plain Lightning", "torchgan"


class TimedBatches:
    """An iterable that notes the time between the first and the last of its items."""

    def __init__(self, batches: Iterable[Any], batch_size: int) -> None:
        self.batches, self.batch_size, self.seconds = batches, batch_size, 0.0

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        started_at = time.process_time()
        for batch in self.batches:
            yield batch
            self.seconds = time.process_time() - started_at  # also where the end is not asked for


class PlainModule(pl.LightningModule):
    """A GAN as Lightning's own pages write one, with manual optimization."""

    def __init__(self, cfg) -> None:
        super().__init__()
        self.automatic_optimization, self.cfg = False, cfg
        self.built = build.build_model(cfg)

    def configure_optimizers(self) -> Any:
        """Return both optimizers."""
        return self.built.configure_optimizers(), []

    def on_train_start(self) -> None:
        """Start the clock when everything is set up."""
        self.loop_started_at = time.process_time()

    def on_train_end(self) -> None:
        """Stop the clock."""
        self.loop_seconds = time.process_time() - self.loop_started_at

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Make a discriminator step, and a generator step where it is due."""
        (real,), cfg = batch, self.cfg
        real = real.float().div_(255) if real.dtype == torch.uint8 else real
        g_optimizer, d_optimizer = self.optimizers()
        generator, discriminator = self.built.generator, self.built.discriminator
        latent = draw_latents(cfg, real.device)
        self.toggle_optimizer(d_optimizer)
        loss = discriminator_loss(cfg, discriminator, real, generator(latent).detach())
        self.log("d_loss", loss)
        d_optimizer.zero_grad()
        self.manual_backward(loss)
        d_optimizer.step()
        self.untoggle_optimizer(d_optimizer)
        if batch_idx % cfg.hyperparameters.n_dis == 0:
            self.toggle_optimizer(g_optimizer)
            loss = generator_loss(cfg, discriminator, generator(latent))
            self.log("g_loss", loss)
            g_optimizer.zero_grad()
            self.manual_backward(loss)
            g_optimizer.step()
            self.untoggle_optimizer(g_optimizer)


def loader(cfg, samples: Tensor, steps: int, *, as_float: bool) -> TimedBatches:
    """Return so many shuffled batches of a DataLoader."""
    rows = torch.randint(len(samples), (steps * cfg.batch_size,))
    data = samples[rows]
    data = data.float().div_(255) if as_float and data.dtype == torch.uint8 else data
    dataset: Any = data if as_float else TensorDataset(data)
    return TimedBatches(DataLoader(dataset, cfg.batch_size, shuffle=True), cfg.batch_size)


def lightning_seconds(cfg, samples: Tensor, steps: int) -> float:
    """Return seconds of plain Lightning's loop."""
    batches = loader(cfg, samples, steps, as_float=False)
    quiet = {"enable_checkpointing": False, "enable_progress_bar": False, "logger": False}
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", enable_model_summary=False, barebones=False, **quiet
    )
    module = PlainModule(cfg)
    trainer.fit(module, batches.batches)
    return module.loop_seconds


def torchgan_seconds(cfg, samples: Tensor, steps: int) -> float:
    """Return seconds of torchgan's trainer; ImportError where it is not installed."""
    ensure_torchvision()
    os.environ["CONSOLE_LOGGING"] = os.environ["TENSORBOARD_LOGGING"] = "0"
    from torchgan import losses, models, trainer

    built = build.build_model(cfg)

    class Generator(models.Generator):
        def __init__(self) -> None:
            super().__init__(cfg.network.latent_dim)
            self.net = built.generator

        def forward(self, latent: Tensor) -> Tensor:
            return self.net(latent)

    class Discriminator(models.Discriminator):
        def __init__(self) -> None:
            super().__init__(1)
            self.net = built.discriminator

        def forward(self, images: Tensor, **unused: Any) -> Tensor:
            return self.net(images)

    if "penalty_weight" in cfg.hyperparameters:
        parts = [losses.WassersteinGeneratorLoss(), losses.WassersteinDiscriminatorLoss()]
        parts += [losses.WassersteinGradientPenalty(lambd=cfg.hyperparameters.penalty_weight)]
    else:
        parts = [losses.MinimaxGeneratorLoss(), losses.MinimaxDiscriminatorLoss()]
    rates = {"lr": cfg.hyperparameters.learning_rate, "betas": (cfg.hyperparameters.beta1, 0.999)}
    network = {"optimizer": {"name": torch.optim.Adam, "args": rates}}
    with tempfile.TemporaryDirectory() as folder:
        runner = trainer.Trainer(
            {
                "generator": {"name": Generator, **network},
                "discriminator": {"name": Discriminator, **network},
            },
            parts,
            device=torch.device("cpu"),
            ncritic=cfg.hyperparameters.n_dis,
            epochs=1,
            checkpoints=f"{folder}/model",
            recon=folder,
            sample_size=1,
        )
        batches = loader(cfg, samples, steps, as_float=True)
        runner.logger.run_end_epoch = lambda *given: None  # pictures are not training
        runner(batches)
    return batches.seconds


def contenders(cfg, splits: dict[str, Split], steps: int, folder: Path) -> dict[str, Callable]:
    """Return each contender's timed block by its name."""
    reusing = cfg.copy()
    reusing.model.reuse_samples = True
    samples = torch.from_numpy(splits["train"].samples)
    return {
        REUSING: lambda: bare_seconds(cfg, samples, steps, two_passes=False),
        TWO_PASSES: lambda: bare_seconds(cfg, samples, steps, two_passes=True),
        OURS_REUSING: lambda: suite_seconds(reusing, splits, steps, folder),
        OURS: lambda: suite_seconds(cfg, splits, steps, folder),
        LIGHTNING: lambda: lightning_seconds(cfg, samples, steps),
        TORCHGAN: lambda: torchgan_seconds(cfg, samples, steps),
    }


def time_case(blocks: dict[str, Callable], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contender in each round, without the first, which warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in blocks}
    for _ in range(rounds + 1):
        for name, block in blocks.items():
            silence = io.StringIO()
            with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
                try:
                    seconds[name].append(block())
                except ImportError:
                    seconds[name].append(float("nan"))
    return {name: values[1:] for name, values in seconds.items()}


def main() -> None:
    """Print a row for each case."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("cases", nargs="*", help="beginnings of cases; all where none is given")
    options.add_argument("--rounds", type=int, default=7, help="alternating blocks of each")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    names = [REUSING, TWO_PASSES, OURS_REUSING, OURS, LIGHTNING, TORCHGAN]
    print(f"| case | {' | '.join(names)} | ms a step, bare |\n|{'---|' * (len(names) + 2)}")
    for case, (overrides, steps) in CASES.items():
        if arguments.cases and not any(case.startswith(given) for given in arguments.cases):
            continue
        cfg, splits = load_case(overrides, steps)
        with tempfile.TemporaryDirectory() as folder:
            times = time_case(contenders(cfg, splits, steps, Path(folder)), arguments.rounds)
        bare = times[REUSING]
        ratios = [
            statistics.median(own / base for own, base in zip(times[name], bare, strict=True))
            for name in names
        ]
        cells = [f"{ratio:.2f}" if ratio == ratio else "-" for ratio in ratios]
        milliseconds = 1000 * statistics.median(bare) / steps
        print(f"| {case} | {' | '.join(cells)} | {milliseconds:.2f} |", flush=True)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
