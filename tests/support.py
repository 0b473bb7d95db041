"""Constants and small helpers that several tests share."""

import shutil
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
SMALL = {
    "infogan": [
        "network.dense=8",
        "network.deep=4",
        "network.shallow=4",
        "network.latent_dim=4",
        "network.code=4",
    ],
    "dcgan": ["network.width=4", "network.latent_dim=4"],
    "image_mlp": ["network.width=8", "network.depth=2", "network.d_width=4"],
    "mlp": ["network.width=8", "network.depth=2"],
}
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


@contextmanager
def restored(path: Path):
    """Put a file back after the block."""
    content = path.read_bytes()
    try:
        yield
    finally:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        path.write_bytes(content)
