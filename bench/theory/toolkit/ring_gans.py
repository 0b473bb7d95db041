"""GANs on the ring of eight Gaussians of Metz et al. 2016 (arXiv:1611.02163), seeds side by side.

What T7 and T8 share: training, what the generator holds at each snapshot, and how that is shown.
"""

import io
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from bench.core.seeds import generator as stream
from bench.metrics.modes import high_quality
from bench.models import priors
from bench.networks import mlp
from bench.theory.experiment import Arrays, Settings
from bench.theory.replicas import Pack, Replica
from bench.theory.toolkit import suite_access

AT = 0.5  # of a mode's centre; the centres are 1.53 apart, the modes' own spread is 0.02
HELD = 1 / 16  # of all samples: half of what each of eight modes should have
LATE = 0.5  # what is judged: the training's second half
HALF_WIDTH, CELLS = 2.8, 40  # of the heat maps
FRAME = 4  # pixels of an animation's cell


def play(settings: Settings) -> Arrays:
    """Train all seeds at once; shares of the modes and heat maps of the first seed on the way.

    Returns:
        "steps" [S]; "shares" [S, R, 8] of the samples near each mode, NaN where a replica
        diverged; "quality" [S, R], the share within three sigma; "heat" uint8 [S / 2, 40, 40].
    """
    pack, modes = pack_of(settings), suite_access.modes("ring")
    latent = priors.normal(settings["shown"], settings["latent_dim"], stream(0, "score"))
    steps, shares, quality, heat = [], [], [], []
    for snapshot in range(settings["snapshots"]):
        pack.train(settings["steps"] // settings["snapshots"])
        points = pack.generate(latent).double().numpy()
        gone = pack.diverged.numpy() >= 0
        steps.append(pack.d_steps)
        shares.append([shares_of(p, modes.centres, g) for p, g in zip(points, gone, strict=True)])
        quality.append([quality_of(p, modes, g) for p, g in zip(points, gone, strict=True)])
        if snapshot % 2:
            heat.append(heat_of(points[0], bool(gone[0])))
    return {
        "steps": np.array(steps),
        "shares": np.array(shares, dtype=np.float32),
        "quality": np.array(quality, dtype=np.float32),
        "heat": np.array(heat, dtype=np.uint8),
    }


def pack_of(settings: Settings) -> Pack:
    """The pairs of all seeds, at their first step."""
    width, depth, dim = settings["width"], settings["depth"], settings["latent_dim"]
    rate, betas = settings["learning_rate"], tuple(settings["betas"])
    return Pack(
        partial(mlp.generator, [2], dim, width=width, depth=depth),
        partial(mlp.Discriminator, [2], width=width, depth=depth, batch_norm=False),
        suite_access.objective(settings["loss"], "hyperparameters.n_dis=1"),
        [Replica(seed=seed, learning_rate=rate, betas=betas) for seed in settings["seeds"]],
        optimizer="adam",
        prior=priors.normal,
        latent_dim=dim,
        samples=torch.from_numpy(suite_access.points("ring")["train"]),
        batch_size=settings["batch_size"],
        unroll_steps=settings["unroll_steps"],
    )


def shares_of(points: np.ndarray, centres: np.ndarray, diverged: bool) -> np.ndarray:
    """Share [8] of the points [N, 2] within AT of each centre; NaN of a diverged generator."""
    if diverged or not np.isfinite(points).all():
        return np.full(len(centres), np.nan)
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    return (distances < AT).mean(0)


def quality_of(points: np.ndarray, modes: Any, diverged: bool) -> float:
    """`bench.metrics.modes.high_quality`; NaN of a diverged generator."""
    if diverged or not np.isfinite(points).all():
        return float("nan")
    return high_quality(points, modes.centres, radius=modes.radius)


def heat_of(points: np.ndarray, diverged: bool) -> np.ndarray:
    """Counts of points in the cells of the plane, uint8 [40, 40], row 0 at the bottom."""
    if diverged or not np.isfinite(points).all():
        return np.zeros((CELLS, CELLS), dtype=np.uint8)
    edges = np.linspace(-HALF_WIDTH, HALF_WIDTH, CELLS + 1)
    counts, *_ = np.histogram2d(points[:, 1], points[:, 0], bins=[edges, edges])
    return counts.clip(max=255).astype(np.uint8)


def held(shares: np.ndarray) -> np.ndarray:
    """Number of modes that hold at least HELD of the samples, [S, R]; NaN stays NaN."""
    found = (shares >= HELD).sum(2).astype(np.float64)
    return np.where(np.isfinite(shares).all(2), found, np.nan)


def bright(heat: np.ndarray) -> np.ndarray:
    """Counts as brightness in [0, 1]: the root, so that thin bridges are seen beside full modes."""
    return np.sqrt(heat / max(1, heat.max()))


def panels(axes: Sequence[Any], heat: np.ndarray, steps: np.ndarray, title: str) -> None:
    """A row of heat maps, evenly spread over the training."""
    chosen = np.linspace(0, len(heat) - 1, len(axes)).round().astype(int)
    for ax, place in zip(axes, chosen, strict=True):
        extent = (-HALF_WIDTH, HALF_WIDTH) * 2
        ax.imshow(bright(heat[place]), origin="lower", extent=extent, cmap="magma", vmin=0, vmax=1)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel(f"step {steps[2 * place + 1]:,}", fontsize=7)
    axes[0].set_ylabel(title)


def animation(heats: Sequence[np.ndarray], steps: np.ndarray, titles: Sequence[str]) -> bytes:
    """Heat maps [F, 40, 40] side by side as a looping GIF, a fifth of a second each."""
    from matplotlib import colormaps
    from PIL import Image, ImageDraw

    palette = (colormaps["magma"](np.arange(256))[:, :3] * 255).round().astype(np.uint8).tobytes()
    frames = []
    for place in range(len(heats[0])):
        side_by_side = np.concatenate([bright(heat[place])[::-1] for heat in heats], axis=1)
        large = np.kron((side_by_side * 255).astype(np.uint8), np.ones((FRAME, FRAME), np.uint8))
        image = Image.fromarray(large, mode="L")
        pen = ImageDraw.Draw(image)
        for column, title in enumerate(titles):
            pen.text((column * CELLS * FRAME + 4, 2), title, fill=230)
        pen.text((4, CELLS * FRAME - 14), f"step {steps[2 * place + 1]}", fill=230)
        image.putpalette(palette)
        frames.append(image)
    kept = io.BytesIO()
    frames[0].save(kept, "GIF", save_all=True, append_images=frames[1:], duration=200, loop=0)
    return kept.getvalue()
