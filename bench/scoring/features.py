"""Samples -> features, once, whatever the number of measures."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

BAR_AFTER = 3.0  # seconds


@dataclass(frozen=True)
class Features:
    """What measures see of a set of samples.

    Args:
        features: [N, F], float32 as the extractor gave them.
        logits: [N, K], float32, or None where the extractor classifies nothing.
        images: the first n samples, float32 [n, C, H, W], for measures that look at pixels.
        sampler: of the generator that drew them, or None.
        order: [N]; row i is the order[i]-th sample that was drawn or read. None: as they came.
        notes: what a measure found beside numbers, for a picture.
    """

    features: np.ndarray
    logits: np.ndarray | None
    images: np.ndarray | None = None
    sampler: Any = None
    order: np.ndarray | None = None
    notes: dict[str, Any] = field(default_factory=dict, compare=False)

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, part: slice) -> Self:
        """Some of the samples, without pictures; not after they were shuffled."""
        logits = None if self.logits is None else self.logits[part]
        return replace(self, features=self.features[part], logits=logits, images=None)


@dataclass(frozen=True)
class Reference:
    """Real samples to compare with.

    Args:
        real: of the reported split.
        train: of the training data, where a measure asks for them.
        held_out: real samples that were not trained on.
        source: the data set's, which may know modes or a manifold.
    """

    real: Features
    train: Features | None = None
    held_out: Features | None = None
    source: Any = None


def quantised(samples: Tensor) -> Tensor:
    """Images in [0, 1] rounded to 256 grey levels, as an image file would hold them."""
    return samples.mul(255).round_().clamp_(0, 255).div_(255)


def batches_of(samples: np.ndarray, size: int) -> Iterator[Tensor]:
    """Stored samples as the generator would give them: float32, images in [0, 1]."""
    for start in range(0, len(samples), size):
        part = torch.from_numpy(np.ascontiguousarray(samples[start : start + size]))
        yield part.float().div_(255) if part.dtype == torch.uint8 else part


def extract(
    extractor: nn.Module,
    batches: Iterable[Tensor],
    *,
    quantise: bool,
    device: torch.device,
    keep: int = 0,
    what: str = "features",
    total: int | None = None,
) -> Features:
    """Features of all batches; beside them only one batch of samples is held, and `keep` images.

    Args:
        extractor: samples [B, ...] -> (features [B, F], logits [B, K] or None).
        batches: float32 samples, images in [0, 1].
        quantise: round images to 256 levels first; has no meaning for points [B, D].
        keep: how many of the first samples stay as they are.
        what, total: for a bar that appears where this takes more than a few seconds.

    Raises:
        FloatingPointError: a sample is not finite: the generator has diverged.
    """
    features, logits, kept = [], [], []
    extractor = extractor.to(device).eval()
    bar = tqdm(
        total=total, desc=what, unit=" samples", delay=BAR_AFTER, leave=False, disable=None,
        dynamic_ncols=True,
    )  # fmt: skip
    with torch.no_grad(), exact_products(), bar:
        for batch in batches:
            bar.update(len(batch))
            if not torch.isfinite(batch).all():
                raise FloatingPointError("a sample is not finite")
            batch = batch.to(device)
            if quantise and batch.ndim == 4:
                batch = quantised(batch)
            if (room := keep - sum(map(len, kept))) > 0:
                kept.append(batch[:room].float().cpu().numpy())
            seen, classes = extractor(batch)
            features.append(seen.float().cpu().numpy())
            if classes is not None:
                logits.append(classes.float().cpu().numpy())
    return Features(
        np.concatenate(features),
        np.concatenate(logits) if logits else None,
        np.concatenate(kept) if kept else None,
    )


@contextmanager
def exact_products() -> Iterator[None]:
    """No TF32 in here: a run may train with it, but is judged as any other."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def shuffled(seen: Features) -> Features:
    """The same samples, mixed by a permutation that depends on their number alone.

    What takes the first n samples, or deals them into blocks or splits, then takes a random part
    of them, the same one on every machine and for every batch size.
    """
    order = np.random.Generator(np.random.PCG64(1)).permutation(len(seen))
    logits = None if seen.logits is None else seen.logits[order]
    return replace(seen, features=seen.features[order], logits=logits, order=order)


def in_canonical_order(seen: Features) -> Features:
    """The same samples in an order that depends on nothing but their features.

    For samples that come in no order of their own, as from several processes. Sorted along one
    fixed direction, then `shuffled`. Rounding of the features may swap neighbours of that order.
    """
    direction = np.random.Generator(np.random.PCG64(0)).normal(size=seen.features.shape[1])
    first = np.argsort(seen.features @ direction, kind="stable")
    logits = None if seen.logits is None else seen.logits[first]
    mixed = shuffled(replace(seen, features=seen.features[first], logits=logits))
    return replace(mixed, order=first[mixed.order])
