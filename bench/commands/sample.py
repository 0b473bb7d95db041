"""`bench sample`: write samples of a stored run, as a grid, single images or a table of points."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.config import build
from bench.core.errors import UserError
from bench.core.files import replacing
from bench.core.seeds import generator as stream
from bench.networks.sampler import Sampler
from bench.plotting.image_grid import make_grid
from bench.runs.folder import RunFolder

BATCH = 500


def write_samples(folder: RunFolder, count: int, seed: int, to: Path, single: bool) -> Path:
    """Draw samples from a run and write them. No data set is read.

    Args:
        count: number of samples, from 1 on.
        seed: seed of the latents, which come from the stream "score".
        to: PNG file; CSV file for points; folder with `single`.
        single: write one PNG for each image instead of a grid.

    Returns:
        Path of the file or folder that was written.

    Raises:
        UserError: the run has not finished or is damaged, or the path cannot be written.
    """
    sampler = build_finished_sampler(folder)
    samples = sampler.samples(count, stream(seed, "score"), BATCH)
    if samples.ndim == 2:
        path = to.with_suffix(".csv")
        with replacing(path) as temporary:
            np.savetxt(temporary, samples.numpy(), delimiter=",", fmt="%.9g")
        return path
    if not single:
        side = int(np.ceil(np.sqrt(count)))
        blank = torch.ones(side * -(-count // side) - count, *samples.shape[1:])
        _save(make_grid(torch.cat([samples, blank]), side), to)
        return to
    image_folder = to.with_suffix("")
    for index, image in enumerate((samples * 255).round().clamp(0, 255).byte().numpy()):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        _save(Image.fromarray(pixels), image_folder / f"{index:06d}.png")
    return image_folder


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
