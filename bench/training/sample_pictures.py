"""Plot samples of a run at fixed latents: grids of images, points in the plane, histograms."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.core.batch import Batch
from bench.core.files import replacing
from bench.core.seeds import generator as stream
from bench.models.base import GenerativeModel
from bench.plotting.image_grid import MOST_ROWS, SIDE, make_grid

POINTS = 1000  # samples of a plot of points
GENERATED = "#e8a000"


def plot_plane(
    samples: np.ndarray,
    real: np.ndarray,
    discriminator: Any,
    title: str,
    labels: np.ndarray | None = None,
) -> Image.Image:
    """Plot real and generated points of the plane over the discriminator's values.

    Args:
        samples, real: [N, 2].
        labels: classes of the samples, [N], by which they are coloured; None for one colour.
        discriminator: maps points [M, 2] to values [M]; None leaves them out.
    """
    from matplotlib.figure import Figure

    low, high = real.min(0), real.max(0)
    margin = 0.25 * (high - low).max() + 1e-6
    x = np.linspace(low[0] - margin, high[0] + margin, 80)
    y = np.linspace(low[1] - margin, high[1] + margin, 80)
    figure = Figure(figsize=(8.4, 4), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    if discriminator is not None:
        across, down = np.meshgrid(x, y)
        values = discriminator(np.stack([across, down], -1).reshape(-1, 2)).reshape(80, 80)
        colours = left.contourf(across, down, values, levels=20, cmap="RdBu_r")
        figure.colorbar(colours, ax=left, shrink=0.8)
    left.scatter(*real.T, s=3, c="black", alpha=0.3, label="real")
    look: dict[str, Any] = {"s": 3, "alpha": 0.7, "label": "generated"}
    if labels is None:
        left.scatter(*samples.T, c=GENERATED, **look)
    else:
        left.scatter(*samples.T, c=labels % 10, cmap="tab10", vmin=0, vmax=9, **look)
    left.legend(loc="upper right", markerscale=3)
    over = "" if discriminator is None else "discriminator's value, "
    by = "" if labels is None else " by class"
    left.set_title(f"{over}real and generated points{by}")
    right.hist2d(*samples.T, bins=(x, y), cmap="magma")
    right.set_title("density of generated points")
    for axes in (left, right):
        axes.set_xlim(x[0], x[-1])
        axes.set_ylim(y[0], y[-1])
        axes.set_aspect("equal")
    figure.suptitle(title)
    return _render(figure)


def plot_histogram(samples: np.ndarray, real: np.ndarray, title: str) -> Image.Image:
    """Plot histograms of real and generated numbers, [N, 1] each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(real.min() - 1, real.max() + 1, 80).tolist()
    axes.hist(real[:, 0], bins, density=True, alpha=0.4, color="black", label="real")
    axes.hist(samples[:, 0], bins, density=True, alpha=0.7, color=GENERATED, label="generated")
    axes.legend()
    axes.set_title(title)
    return _render(figure)


def _render(figure: Any) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return Image.open(buffer).convert("RGB")


class SamplePlotter:
    """Plot a run's samples at the same latents each time, into files and loggers.

    Args:
        real: some training samples, plotted together with generated points.
        seed: seed of the latents, which come from the stream "score".
    """

    def __init__(self, folder: Path, real: np.ndarray, seed: int, label: str) -> None:
        self.folder, self.real, self.seed, self.label = folder, real, seed, label

    def __call__(self, model: GenerativeModel, loggers: Sequence[Any]) -> None:
        """Write samples/step-NNNNNN.png and send it to the loggers that take pictures."""
        picture = self.plot(model)
        self._write(self.folder / f"step-{model.d_steps:06d}.png", picture)
        for logger in loggers:
            if hasattr(logger, "log_image"):
                logger.log_image("samples", [picture], step=model.d_steps)
            elif hasattr(logger.experiment, "add_image"):
                pixels = np.asarray(picture.convert("RGB"))
                logger.experiment.add_image("samples", pixels, model.d_steps, dataformats="HWC")

    def finish(self, model: GenerativeModel) -> None:
        """Write samples/final.png, and samples/training.gif if there are several pictures."""
        self._write(self.folder / "final.png", self.plot(model))
        frames = [Image.open(path) for path in sorted(self.folder.glob("step-*.png"))]
        if len(frames) > 1:
            with replacing(self.folder / "training.gif") as temporary:
                look = {"append_images": frames[1:], "duration": 400, "loop": 0}
                frames[0].save(temporary, format="GIF", save_all=True, **look)

    def plot(self, model: GenerativeModel) -> Image.Image:
        """Return a grid of images, a plot of points or a histogram, by the samples' shape.

        The grid of a conditional model has a row for each class.
        """
        sampler, latents = model.sampler(), stream(self.seed, "score")
        if self.real.ndim == 4:
            rows = sampler.classes[:MOST_ROWS]
            labels = torch.tensor(rows).repeat_interleave(SIDE) if rows else None
            count = SIDE * (len(rows) or SIDE)
            return make_grid(sampler.samples(count, latents, count, labels), SIDE)
        ((samples, own_labels, _),) = sampler.batches(POINTS, latents, POINTS)
        title = f"{self.label}, step {model.d_steps:,}"
        points = samples.double().cpu().numpy()
        if points.shape[1] == 1:
            return plot_histogram(points, self.real, title)
        classes = {name: each.cpu().numpy() for name, each in own_labels.items()}
        discriminator = self._discriminator(model)
        return plot_plane(points[:, :2], self.real[:, :2], discriminator, title, **classes)

    def _discriminator(self, model: GenerativeModel) -> Any:
        """Return the discriminator as points [M, 2] -> values [M], or None if there is none.

        A conditional one has another value for each class, and one of packs none for a point.
        """
        score: Any = getattr(model, "discriminator_scores", None)
        packs = getattr(getattr(model, "discriminator", None), "packing", 1) > 1
        if score is None or model.conditional or packs or self.real.shape[1] != 2:
            return None

        def evaluate(points: np.ndarray) -> np.ndarray:
            inputs = torch.from_numpy(points).float().to(model.device)
            with torch.no_grad():
                return score(Batch(inputs)).double().cpu().numpy()

        return evaluate

    def _write(self, path: Path, picture: Image.Image) -> None:
        with replacing(path) as temporary:
            picture.save(temporary, format="PNG")
