"""Samples from a stored run, as a grid, single files or numbers."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.config import build
from bench.core.errors import UserError
from bench.core.files import replacing
from bench.core.seeds import generator as stream
from bench.plotting.image_grid import grid
from bench.runs.folder import RunFolder

BATCH = 500


def write_samples(folder: RunFolder, count: int, seed: int, to: Path, single: bool) -> Path:
    """Draw samples and write them.

    Args:
        folder: of the run; no data set is read.
        count: how many.
        seed: of the latents, with the stream "score".
        to: a PNG, or for points a CSV file; with `single` a folder.
        single: one PNG for each image instead of a grid.

    Returns:
        What was written.

    Raises:
        UserError: the run is damaged, or the place cannot be written.
    """
    status = folder.status() or {"status": "without a status", "cause": ""}
    if status["status"] != "finished":
        raise UserError(
            f"run {folder.run_id} is {status['status']}, not finished: {status['cause']}",
            fix="choose a finished run; an interrupted one goes on by its own command",
        )
    sampler = build.build_sampler(folder)
    samples = torch.cat(list(sampler.batches(count, stream(seed, "score"), BATCH)))
    if samples.ndim == 2:
        path = to.with_suffix(".csv")
        with replacing(path) as temporary:
            np.savetxt(temporary, samples.numpy(), delimiter=",", fmt="%.9g")
        return path
    if not single:
        side = int(np.ceil(np.sqrt(count)))
        blank = torch.ones(side * -(-count // side) - count, *samples.shape[1:])
        _save(grid(torch.cat([samples, blank]), side), to)
        return to
    folder_to = to.with_suffix("")
    for index, image in enumerate((samples * 255).round().clamp(0, 255).byte().numpy()):
        picture = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        _save(Image.fromarray(picture), folder_to / f"{index:06d}.png")
    return folder_to


def _save(picture: Image.Image, path: Path) -> None:
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")
