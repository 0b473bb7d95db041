"""`bench sample`: write samples of a stored run, as a grid, single images or a table of points.

A conditional run draws the classes of single images and points by the shares of its training split;
its grid has a row for each class, its single images a folder, and its points a last column.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.config import build
from bench.core.errors import UserError
from bench.core.files import replacing
from bench.core.seeds import generator as stream
from bench.networks.sampler import Sampler
from bench.plotting.image_grid import make_grid
from bench.runs.folder import RunFolder

BATCH = 500
SHOWN = 20  # classes that an error lists


def write_samples(
    folder: RunFolder, count: int, seed: int, to: Path, single: bool, label: int | None = None
) -> Path:
    """Draw samples from a run and write them. No data set is read.

    Args:
        count: number of samples, from 1 on.
        seed: seed of the latents, which come from the stream "score".
        to: PNG file; CSV file for points; folder with `single`.
        single: write one PNG for each image instead of a grid.
        label: class of all samples; None for all classes.

    Returns:
        Path of the file or folder that was written.

    Raises:
        UserError: the run has not finished or is damaged, it draws no samples of the class, or the
            path cannot be written.
    """
    sampler = build_finished_sampler(folder)
    check_class(folder, sampler, label)
    is_grid = not single and len(build.read_config(folder.config).dataset.shape) == 3
    labels, rows = None if label is None else torch.full((count,), label), None
    if is_grid and label is None and (classes := sampler.classes):
        labels = rows = torch.tensor([classes[i * len(classes) // count] for i in range(count)])
    batches = list(sampler.batches(count, stream(seed, "score"), BATCH, labels))
    samples = torch.cat([batch.samples for batch in batches])
    drawn = [torch.cat([b.labels["labels"] for b in batches])] if sampler.classes else []
    if samples.ndim == 2:
        path = to.with_suffix(".csv")
        columns = torch.cat([samples, *(part[:, None] for part in drawn)], 1)
        with replacing(path) as temporary:
            np.savetxt(temporary, columns.numpy(), delimiter=",", fmt="%.9g")
        return path
    if is_grid:
        _save(_draw_grid(samples, rows), to)
        return to
    folders = [f"class-{k}" for part in drawn for k in part.tolist()] or [""] * count
    image_folder = to.with_suffix("")
    for index, image in enumerate((samples * 255).round().clamp(0, 255).byte().numpy()):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        _save(Image.fromarray(pixels), image_folder / folders[index] / f"{index:06d}.png")
    return image_folder


def _draw_grid(samples: Tensor, rows: Tensor | None) -> Image.Image:
    """Tile images [N, C, H, W] in a square, or in a row for each number in `rows`, [N]."""
    parts = [samples[rows == k] for k in rows.unique()] if rows is not None else [samples]
    side = int(np.ceil(np.sqrt(len(samples)))) if rows is None else max(map(len, parts))
    blanks = [torch.ones(-len(part) % side, *samples.shape[1:]) for part in parts]
    tiles = [tile for pair in zip(parts, blanks, strict=True) for tile in pair]
    return make_grid(torch.cat(tiles), side)


def check_class(folder: RunFolder, sampler: Sampler, label: int | None) -> None:
    """Refuse a class that a run draws no samples of; None is any.

    Raises:
        UserError: the run is not conditional, or has seen no training sample of the class.
    """
    classes, run = sampler.classes, f"run {folder.run_id}"
    if label is None or label in classes:
        return
    if not classes:
        message = f"{run} is not conditional: it draws no samples of class {label}"
        raise UserError(message, fix="leave --class out, or train one with conditioning=projection")
    known = 0 <= label < len(sampler.class_counts or ())
    why = "was trained on no sample of it" if known else "knows no such class"
    there = ", ".join(map(str, classes[:SHOWN])) + (" ..." if len(classes) > SHOWN else "")
    raise UserError(f"--class is {label}, and {run} {why}", fix=f"choose one of {there}")


def build_finished_sampler(folder: RunFolder) -> Sampler:
    """Build the sampler of a run, or raise a UserError if it has not finished or is damaged."""
    status = folder.read_status() or {"status": "without a status", "cause": ""}
    if status["status"] != "finished":
        message = f"run {folder.run_id} is {status['status']}, not finished: {status['cause']}"
        fix = "choose a finished run; the command that began an interrupted one resumes it"
        raise UserError(message, fix=fix)
    return build.build_sampler(folder)


def _save(picture: Image.Image, path: Path) -> None:
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")
