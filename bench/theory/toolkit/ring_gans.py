"""Train GANs on the ring of eight Gaussians of Metz et al. 2016 (arXiv:1611.02163).

T7 and T8 share this: training of all seeds side by side, snapshots of the modes that the generator
covers, and heat maps of its samples.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from bench.core.objective import Objective
from bench.core.seeds import generator as stream
from bench.data.points import Modes
from bench.metrics.modes import high_quality
from bench.models import priors
from bench.networks import mlp
from bench.theory.experiment import Measurements, PartSettings
from bench.theory.toolkit.replica_stacks import adam, find_diverged, generate, make_gan
from bench.theory.toolkit.suite_access import build_objective, load_modes, load_samples
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

MODE_RADIUS = 0.5  # about a centre; centres are 1.53 apart, the modes' own spread is 0.02
COVERED_SHARE = 1 / 16  # of all samples: half of what each of eight modes should have
LOSSES = {"minimax": "minimax", "nonsaturating": "non-saturating"}
SETTINGS = {  # near Metz et al., section 3.1
    "learning_rate": 1e-3,
    "betas": [0.5, 0.999],
    "width": 64,
    "depth": 2,
    "latent_dim": 16,
    "snapshots": 60,
    "shown": 1000,
}
HALF_WIDTH, CELLS = 2.8, 40  # of the heat maps
FRAME = 4  # pixels of an animation's cell


def train_with_snapshots(settings: PartSettings) -> Measurements:
    """Train all seeds at once; measure modes at S snapshots, and heat maps of the first seed.

    Returns:
        "steps" [S]; "shares" [S, R, 8] of the samples near each mode, NaN where a replica
        diverged; "quality" [S, R], the share within three sigma; "heat" uint8 [S / 2, 40, 40].
    """
    objective = build_objective(settings["loss"], "hyperparameters.n_dis=1")
    pairs, modes = stack_gans(settings, objective, "ring"), load_modes("ring")
    latent = priors.normal(settings["shown"], settings["latent_dim"], stream(0, "score"))
    steps, shares, quality, heat = [], [], [], []
    for snapshot in range(settings["snapshots"]):
        for _ in range(settings["steps"] // settings["snapshots"]):
            train_step(pairs)
        points = generate(pairs, latent).double().numpy()
        diverged = find_diverged(pairs)
        replicas = list(zip(points, diverged, strict=True))
        steps.append(pairs.model(0).d_steps)
        shares.append([mode_shares(p, modes.centres, gone) for p, gone in replicas])
        quality.append([high_quality_share(p, modes, gone) for p, gone in replicas])
        if snapshot % 2:
            heat.append(count_in_cells(points[0], bool(diverged[0])))
    return {
        "steps": np.array(steps),
        "shares": np.array(shares, dtype=np.float32),
        "quality": np.array(quality, dtype=np.float32),
        "heat": np.array(heat, dtype=np.uint8),
    }


def stack_gans(settings: PartSettings, objective: Objective, dataset: str) -> ReplicaStack:
    """Stack untrained GANs of perceptrons, one a seed, to learn a toy density of conf/dataset."""
    dim, shape = settings["latent_dim"], {key: settings[key] for key in ("width", "depth")}
    models = [
        make_gan(
            seed,
            objective,
            mlp.generator([2], dim, **shape),
            mlp.Discriminator([2], batch_norm=False, **shape),
            adam(settings["learning_rate"], tuple(settings["betas"])),
            latent_dim=dim,
            unroll_steps=settings.get("unroll_steps", 0),
        )
        for seed in settings["seeds"]
    ]
    samples = torch.from_numpy(load_samples(dataset)["train"])
    return ReplicaStack(models, samples, settings["batch_size"])


def second_half(snapshots: np.ndarray) -> np.ndarray:
    """Return the snapshots of the part of the training that the rules look at."""
    return snapshots[len(snapshots) // 2 :]


def mode_shares(points: np.ndarray, centres: np.ndarray, diverged: bool) -> np.ndarray:
    """Share [8] of the points [N, 2] within MODE_RADIUS of each centre; NaN if G diverged."""
    if diverged or not np.isfinite(points).all():
        return np.full(len(centres), np.nan)
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    return (distances < MODE_RADIUS).mean(0)


def high_quality_share(points: np.ndarray, modes: Modes, diverged: bool) -> float:
    """Share of the points near a mode, by `bench.metrics.modes.high_quality`; NaN if G diverged."""
    if diverged or not np.isfinite(points).all():
        return float("nan")
    return high_quality(points, modes.centres, radius=modes.radius)


def count_in_cells(points: np.ndarray, diverged: bool) -> np.ndarray:
    """Counts of points in the cells of the plane, uint8 [40, 40], row 0 at the bottom."""
    if diverged or not np.isfinite(points).all():
        return np.zeros((CELLS, CELLS), dtype=np.uint8)
    edges = np.linspace(-HALF_WIDTH, HALF_WIDTH, CELLS + 1)
    counts, *_ = np.histogram2d(points[:, 1], points[:, 0], bins=[edges, edges])
    return counts.clip(max=255).astype(np.uint8)


def count_covered_modes(shares: np.ndarray) -> np.ndarray:
    """Number of modes with at least COVERED_SHARE of the samples, [S, R]; NaN stays NaN."""
    covered = (shares >= COVERED_SHARE).sum(2).astype(np.float64)
    return np.where(np.isfinite(shares).all(2), covered, np.nan)


def to_brightness(heat: np.ndarray) -> np.ndarray:
    """Root of the counts, scaled to [0, 1], so that thin bridges are seen beside full modes."""
    return np.sqrt(heat / max(1, heat.max()))


def draw_heat_maps(axes: Sequence[Any], heat: np.ndarray, steps: np.ndarray, title: str) -> None:
    """Draw a row of heat maps, evenly spread over the training."""
    places = np.linspace(0, len(heat) - 1, len(axes)).round().astype(int)
    for ax, place in zip(axes, places, strict=True):
        extent, brightness = (-HALF_WIDTH, HALF_WIDTH) * 2, to_brightness(heat[place])
        ax.imshow(brightness, origin="lower", extent=extent, cmap="magma", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(f"step {steps[2 * place + 1]:,}", fontsize=7)
    axes[0].set_ylabel(title)


def animate_heat_maps(
    heats: Sequence[np.ndarray], steps: np.ndarray, titles: Sequence[str]
) -> bytes:
    """Draw heat maps [F, 40, 40] side by side as a looping GIF, a fifth of a second a frame."""
    from matplotlib import colormaps
    from PIL import Image, ImageDraw

    palette = (colormaps["magma"](np.arange(256))[:, :3] * 255).round().astype(np.uint8).tobytes()
    frames = []
    for place in range(len(heats[0])):
        side_by_side = np.concatenate([to_brightness(heat[place])[::-1] for heat in heats], axis=1)
        large = np.kron((side_by_side * 255).astype(np.uint8), np.ones((FRAME, FRAME), np.uint8))
        image = Image.fromarray(large, mode="L")
        pen = ImageDraw.Draw(image)
        for column, title in enumerate(titles):
            pen.text((column * CELLS * FRAME + 4, 2), title, fill=230)
        pen.text((4, CELLS * FRAME - 14), f"step {steps[2 * place + 1]}", fill=230)
        image.putpalette(palette)
        frames.append(image)
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=200, loop=0)
    return content.getvalue()
