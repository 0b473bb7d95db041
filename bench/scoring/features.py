"""Samples -> features, once, whatever the number of metrics."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from bench.core.batch import Batch, as_batch

BAR_DELAY = 3.0  # seconds before a progress bar appears

Arrays = dict[str, np.ndarray]
# Name with a version, arrays that the result depends on, how to compute it -> the result.
Derive = Callable[[str, Sequence[np.ndarray], Callable[[], Arrays]], Arrays]


@dataclass(frozen=True)
class Features:
    """Features of a set of samples, and what else metrics read.

    Args:
        features: [N, F], float32 as the extractor returned them.
        logits: [N, K], float32, or None where the extractor classifies nothing.
        images: the first n samples, float32 [n, C, H, W], for metrics that look at pixels.
        sampler: the sampler of the generator that drew the samples, or None.
        order: [N]; row i is the order[i]-th sample that was drawn or read. None: unchanged.
        notes: what a metric returns beside numbers, for a picture.
        labels: the samples' classes, int64 [N], or None where they have none.
    """

    features: np.ndarray
    logits: np.ndarray | None
    images: np.ndarray | None = None
    sampler: Any = None
    order: np.ndarray | None = None
    notes: dict[str, Any] = field(default_factory=dict, compare=False)
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: slice | np.ndarray) -> Self:
        """Return some rows of features, logits and labels, or all in another order."""
        logits = None if self.logits is None else self.logits[rows]
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, features=self.features[rows], logits=logits, labels=labels)

    def subset(self, part: slice) -> Self:
        """Return some of the samples, without images; `order` must be None."""
        return replace(self.take(part), images=None)


def compute_anew(name: str, inputs: Sequence[np.ndarray], compute: Callable[[], Arrays]) -> Arrays:
    """Return what `compute` returns, without a cache: a `Derive`."""
    return compute()


@dataclass(frozen=True)
class Reference:
    """Real samples to compare with.

    Args:
        real: features of the reported split.
        train: features of the training data, where a metric asks for them.
        held_out: features of real samples that were not trained on.
        source: source of the data set, which may define modes or a manifold.
        derive: keeps what metrics compute from real samples alone.
    """

    real: Features
    train: Features | None = None
    held_out: Features | None = None
    source: Any = None
    derive: Derive = compute_anew


def quantise_images(samples: Tensor) -> Tensor:
    """Round images in [0, 1], in place, to 256 grey levels, as an image file would hold them."""
    return samples.mul(255).round_().clamp_(0, 255).div_(255)


def iter_batches(samples: np.ndarray, size: int) -> Iterator[Tensor]:
    """Iterate over stored samples as a generator returns them: float32, images in [0, 1]."""
    for start in range(0, len(samples), size):
        part = torch.from_numpy(np.ascontiguousarray(samples[start : start + size]))
        yield part.float().div_(255) if part.dtype == torch.uint8 else part


def extract(
    extractor: nn.Module,
    batches: Iterable[Tensor | Batch],
    *,
    quantise: bool,
    device: torch.device,
    n_images: int = 0,
    description: str = "features",
    total: int | None = None,
) -> Features:
    """Compute features of all batches, with one batch and `n_images` images in memory at a time.

    Args:
        extractor: samples [B, ...] -> (features [B, F], logits [B, K] or None).
        batches: float32 samples, images in [0, 1], with labels where they have some.
        quantise: round images to 256 levels first; has no meaning for points [B, D].
        n_images: number of the first samples that are kept beside their features.
        description, total: text and number of samples of a progress bar, shown after 3 seconds.

    Raises:
        FloatingPointError: a sample is not finite: the generator has diverged.
    """
    features, logits, images = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    labels = list[np.ndarray]()
    extractor = extractor.to(device).eval()
    look = {"unit": " samples", "leave": False, "disable": None, "dynamic_ncols": True}
    bar = tqdm(total=total, desc=description, delay=BAR_DELAY, **look)
    with torch.no_grad(), tf32_disabled(), bar:
        for batch, own_labels, _ in map(as_batch, batches):
            bar.update(len(batch))
            labels += [own_labels["labels"].cpu().numpy()] if own_labels else []
            if not torch.isfinite(batch).all():
                raise FloatingPointError("a sample is not finite")
            batch = batch.to(device)
            if quantise and batch.ndim == 4:
                batch = quantise_images(batch)
            if (missing := n_images - sum(len(part) for part in images)) > 0:
                images.append(batch[:missing].float().cpu().numpy())
            batch_features, batch_logits = extractor(batch)
            features.append(batch_features.float().cpu().numpy())
            if batch_logits is not None:
                logits.append(batch_logits.float().cpu().numpy())
    return Features(
        np.concatenate(features),
        np.concatenate(logits) if logits else None,
        np.concatenate(images) if images else None,
        labels=np.concatenate(labels) if labels else None,
    )


@contextmanager
def tf32_disabled() -> Iterator[None]:
    """Disable TF32 in the block: a run may train with it, but is scored without, as any other."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def shuffle_features(features: Features) -> Features:
    """Permute the samples by a permutation that depends on their number alone.

    A metric that takes the first n samples, or cuts them into blocks or splits, then gets a random
    part of them, the same one on every machine and for every batch size.
    """
    order = np.random.Generator(np.random.PCG64(1)).permutation(len(features))
    return replace(features.take(order), order=order)


def sort_canonically(features: Features) -> Features:
    """Put the samples in an order that depends on nothing but their features.

    For samples that come in no order of their own, as from several processes: sorted along one
    fixed direction, then permuted by `shuffle_features`. Rounding of the features may swap
    neighbours of that order.
    """
    direction = np.random.Generator(np.random.PCG64(0)).normal(size=features.features.shape[1])
    ranking = np.argsort(features.features @ direction, kind="stable")
    shuffled = shuffle_features(features.take(ranking))
    return replace(shuffled, order=ranking[shuffled.order])
