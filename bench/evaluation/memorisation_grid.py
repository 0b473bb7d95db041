"""A picture of generated images beside the training images that they come closest to."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.core.files import replacing
from bench.evaluation.evaluator import Evaluator
from bench.networks.sampler import Sampler
from bench.plotting.image_grid import make_grid
from bench.scoring.features import iter_batches, quantise_images

PAIRS = 32
COLUMNS = 16  # eight pairs a row: the generated image, then the training image


def save_memorisation_grid(
    path: Path, evaluator: Evaluator, sampler: Sampler, notes: dict[str, Any]
) -> None:
    """Save a picture of the closest pairs, if memorisation was scored and the images are there.

    Args:
        path: PNG file to write.
        sampler: the scored generator's; its samples are generated again.
        notes: notes of the scoring: "memorised", a `bench.metrics.memorisation.Memorised`, and
            "order" of the samples.
    """
    splits = evaluator.real_features.splits
    if "memorised" not in notes or splits is None or splits["train"].samples.ndim != 4:
        return
    memorised = notes["memorised"]
    worst = memorised.worst(PAIRS)
    indices = notes["order"][worst]  # rows of the shuffled features -> order of generation
    images, start = dict[int, torch.Tensor](), 0
    for batch in evaluator.generate_batches(sampler, evaluator.settings.latent_seed):
        end = start + len(batch.samples)
        inside = indices[(indices >= start) & (indices < end)]
        images |= {int(i): batch.samples[int(i) - start].float().cpu() for i in inside}
        start = end
    fake = torch.stack([images[int(i)] for i in indices])
    save_pairs(path, fake, splits["train"].samples[memorised.nearest[worst]])


def save_pairs(path: Path, fake: torch.Tensor, train: np.ndarray) -> None:
    """Save pairs side by side: samples [n, C, H, W] in [0, 1], training images uint8."""
    real = torch.cat(list(iter_batches(train, len(train))))
    pairs = torch.stack([quantise_images(fake.clone()), real], 1).flatten(0, 1)
    blank = torch.ones(-len(pairs) % COLUMNS, *pairs.shape[1:])
    picture: Image.Image = make_grid(torch.cat([pairs, blank]), COLUMNS)
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")
