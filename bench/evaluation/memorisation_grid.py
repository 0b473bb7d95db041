"""A picture of the generated images that lie nearest to training images, for their size."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.core.files import replacing
from bench.evaluation.evaluator import Evaluator
from bench.networks.sampler import Sampler
from bench.plotting.image_grid import grid
from bench.scoring.features import batches_of, quantised

PAIRS = 32
COLUMNS = 16  # eight pairs a row: the generated image, then the training image


def save_memorisation_grid(
    path: Path, evaluator: Evaluator, sampler: Sampler, notes: dict[str, Any]
) -> None:
    """Draw the worst pairs, where images were searched for and the training images are there.

    Args:
        notes: "memorised" as `bench.metrics.memorisation` gives it, "order" of the samples.
    """
    splits = evaluator.reals.splits
    if "memorised" not in notes or splits is None or splits["train"].samples.ndim != 4:
        return
    found = notes["memorised"]
    worst = found.worst(PAIRS)
    wanted = notes["order"][worst]  # in canonical order -> as they were drawn
    drawn = {}
    start = 0
    for batch in evaluator.samples(sampler, evaluator.settings.latent_seed):
        inside = wanted[(wanted >= start) & (wanted < start + len(batch))]
        drawn |= {int(i): batch[int(i) - start].float().cpu() for i in inside}
        start += len(batch)
    draw_pairs(
        path,
        torch.stack([drawn[int(i)] for i in wanted]),
        splits["train"].samples[found.nearest[worst]],
    )


def draw_pairs(path: Path, drawn: torch.Tensor, train: np.ndarray) -> None:
    """Write pairs side by side: samples [n, C, H, W] in [0, 1], training images uint8."""
    real = torch.cat(list(batches_of(train, len(train))))
    pairs = torch.stack([quantised(drawn.clone()), real], 1).flatten(0, 1)
    blank = torch.ones(-len(pairs) % COLUMNS, *pairs.shape[1:])
    picture: Image.Image = grid(torch.cat([pairs, blank]), COLUMNS)
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")
