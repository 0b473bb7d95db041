"""Samples -> features, once, whatever the number of measures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Features:
    """What measures see of a set of samples.

    Args:
        features: [N, F], float64.
        logits: [N, K], float64, or None where the extractor classifies nothing.
    """

    features: np.ndarray
    logits: np.ndarray | None


@dataclass(frozen=True)
class Reference:
    """Real samples to compare with.

    Args:
        seen: their features.
        modes: centres and radius of the mixture they come from, or None.
    """

    seen: Features
    modes: Any


def quantised(samples: Tensor) -> Tensor:
    """Images in [0, 1] rounded to 256 grey levels, as an image file would hold them."""
    return samples.mul(255).round_().clamp_(0, 255).div_(255)


def batches_of(samples: np.ndarray, size: int) -> Iterator[Tensor]:
    """Stored samples as the generator would give them: float32, images in [0, 1]."""
    for start in range(0, len(samples), size):
        part = torch.from_numpy(np.ascontiguousarray(samples[start : start + size]))
        yield part.float().div_(255) if part.dtype == torch.uint8 else part


def extract(
    extractor: nn.Module, batches: Iterable[Tensor], *, quantise: bool, device: torch.device
) -> Features:
    """Features of all batches.

    Args:
        extractor: samples [B, ...] -> (features [B, F], logits [B, K] or None).
        batches: float32 samples, images in [0, 1].
        quantise: round images to 256 levels first; has no meaning for points [B, D].

    Raises:
        FloatingPointError: a sample is not finite: the generator has diverged.
    """
    features, logits = [], []
    extractor = extractor.to(device).eval()
    with torch.no_grad():
        for batch in batches:
            if not torch.isfinite(batch).all():
                raise FloatingPointError("a sample is not finite")
            batch = batch.to(device)
            rounded = quantise and batch.ndim == 4
            seen, classes = extractor(quantised(batch) if rounded else batch)
            features.append(seen.double().cpu().numpy())
            if classes is not None:
                logits.append(classes.double().cpu().numpy())
    return Features(np.concatenate(features), np.concatenate(logits) if logits else None)
