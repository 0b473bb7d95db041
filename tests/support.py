"""Constants and small helpers that several tests share."""

import shutil
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from bench.config import build, validate
from bench.core.errors import UserError
from bench.core.objective import Losses, Objective, Term
from bench.core.parts import PLAYERS
from bench.core.update_order import StudyOrder
from bench.models import priors
from bench.models.base import TrainingConfig

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
SMALL = {
    "infogan": [
        "network.dense=8",
        "network.deep=4",
        "network.shallow=4",
        "network.latent_dim=4",
        "network.code=4",
        "network.flow.velocity.width=4",
    ],
    "dcgan": ["network.width=4", "network.latent_dim=4"],
    "image_mlp": ["network.width=8", "network.depth=2", "network.d_width=4"],
    "sngan": ["network.g_width=4", "network.d_width=4", "network.latent_dim=4"],
    "sngan_cnn": ["network.width=4", "network.latent_dim=4"],
    "r3gan": [
        "network.width=4",
        "network.blocks=1",
        "network.cardinality=2",
        "network.latent_dim=4",
    ],
    "mlp": ["network.width=8", "network.depth=2"],
}
VARIANTS = sorted(path.stem for path in (ROOT / "conf/variant").glob("*.yaml"))


@cache
def network_of(variant: str, dataset: str) -> str:
    """Return the network that a variant trains on a data set; "" where it is for images alone."""
    cfg = build.compose_config([f"variant={variant}", f"dataset={dataset}"])
    try:
        validate.validate_config(cfg)
    except UserError as error:
        assert "changes images" in error.message
        return ""
    return cfg.names.network


# A sweep of two stages, for the fixture `launch`.
TINY = """# @package _global_
defaults:
  - override /dataset: ring
  - _self_
network: {width: 8, depth: 2}
d_steps: 4
log_every: 2
score: {n_fake: 60, n_real: 100, every: 2, metrics: {prd: {clusterings: 1}}}
trainer: {progress: false, pictures: 0, accelerator: cpu}
hydra:
  sweeper:
    stages:
      search:
        variants: [ns_gan, vae]
        datasets: [ring]
        seeds: [0]
        samples: 2
        sampling: {seed: 1, order: [n_dis, learning_rate]}
        space: {learning_rate: {log_uniform: [1.0e-4, 1.0e-2]}, n_dis: {choice: [1, 5]}}
      again:
        after: search
        rule: {name: lowest, score: selection.frechet, checkpoint: best}
        seeds: [1, 2]
"""


def make_objective(
    discriminator: Callable[..., Any],
    generator: Callable[..., Any],
    *,
    penalty: Any = None,
    weight: Any = 0.0,
    constraint: Any = None,
    n_dis: int = 1,
    fresh_latent: bool = False,
) -> Objective:
    """Make an objective in the study's order, with at most one term, "penalty", of every step."""
    term = {"weight": weight, "interval": 1, "player": "discriminator"}
    return Objective(
        loss=Losses(
            discriminator=discriminator,
            generator=generator,
            constraint=constraint,
            fresh_latent=fresh_latent,
        ),
        terms={} if penalty is None else {"penalty": Term(penalty=penalty, **term)},
        transforms={},
        update_order=StudyOrder(n_dis=n_dis, latent_batches=1, fresh_real=False),
    )


def make_training(optimizer: Callable[..., Any], **changes: Any) -> TrainingConfig:
    """Make settings of a training with one optimizer for both players, and without an average."""
    settings = {
        "prior": priors.uniform,
        "latent_dim": 2,
        "optimizers": dict.fromkeys(PLAYERS, optimizer),
        "batch_size": 4,
        "seed": 0,
        "precision": "32",
        "ema": None,
    }
    return TrainingConfig(**{**settings, **changes})


@contextmanager
def restored(path: Path):
    """Put a file back after the block."""
    content = path.read_bytes()
    try:
        yield
    finally:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        path.write_bytes(content)
