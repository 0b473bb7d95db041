"""Scores of a set of samples under a protocol that travels with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.scoring.features import Features, Reference, batches_of, extract
from bench.scoring.measures import Measure


@dataclass(frozen=True)
class Settings:
    """A named protocol; `conf/score/` holds them.

    Args:
        name: of the protocol.
        split: of the real samples compared with.
        n_real: how many of them, the first; None for all.
        n_fake: generated samples.
        quantise: round images to 256 levels before features are taken.
        latent_seed: of the latents, the same for every run.
        batch_size: samples at once; no part of the protocol.
        metrics: measures by name.

    Raises:
        ValueError: a count is not positive.
    """

    name: str
    split: str
    n_real: int | None
    n_fake: int
    quantise: bool
    latent_seed: int
    batch_size: int
    metrics: Mapping[str, Measure]

    def __post_init__(self) -> None:
        counts = {"n_fake": self.n_fake, "batch_size": self.batch_size, "n_real": self.n_real}
        for key, value in counts.items():
            if key == "n_real" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 2:
                raise ValueError(f"score.{key} is {value!r}; a whole number from 2 on")
        if isinstance(self.latent_seed, bool) or not isinstance(self.latent_seed, int):
            raise ValueError(f"score.latent_seed is {self.latent_seed!r}; a whole number")
        if not isinstance(self.quantise, bool):
            raise ValueError(f"score.quantise is {self.quantise!r}; true or false")


def real_samples(splits: Mapping[str, Any], settings: Settings) -> np.ndarray:
    """The real samples that the protocol compares with.

    Raises:
        ValueError: the data have no such split, or fewer samples in it.
    """
    if settings.split not in splits:
        present = ", ".join(sorted(splits))
        raise ValueError(f"score.split is {settings.split!r}; the data have {present}")
    samples = splits[settings.split].samples
    if settings.n_real is not None and settings.n_real > len(samples):
        raise ValueError(
            f"score.n_real is {settings.n_real}; split {settings.split!r} has {len(samples)}"
        )
    return samples[: settings.n_real]


def reference_of(
    samples: np.ndarray, modes: Any, extractor: nn.Module, settings: Settings, device: torch.device
) -> Reference:
    """The features of real samples, uint8 images [N, C, H, W] or points [N, D]."""
    real = batches_of(samples, settings.batch_size)
    return Reference(extract(extractor, real, quantise=False, device=device), modes)


def score_batches(
    batches: Iterable[Tensor],
    reference: Reference,
    extractor: nn.Module,
    settings: Settings,
    device: torch.device,
) -> dict[str, float]:
    """Every score of the protocol that applies, by name.

    Args:
        batches: samples to judge, float32 [B, ...].

    Raises:
        FloatingPointError: a sample is not finite.
    """
    fake = extract(extractor, batches, quantise=settings.quantise, device=device)
    return measure_all(reference, fake, settings.metrics)


def measure_all(
    reference: Reference, fake: Features, metrics: Mapping[str, Measure]
) -> dict[str, float]:
    """The scores of all measures that apply."""
    scores: dict[str, float] = {}
    for measure in metrics.values():
        if measure.applies(reference):
            scores.update(measure(reference, fake))
    return scores


def protocol_of(
    settings: Settings,
    reference: Reference,
    extractor: nn.Module,
    *,
    prior: str,
    batch_norm: str,
    ema_decay: float | None,
) -> dict[str, Any]:
    """Everything that makes two scores comparable, for the row."""
    directions = {
        name: direction
        for measure in settings.metrics.values()
        if measure.applies(reference)
        for name, direction in measure.directions.items()
    }
    return {
        "name": settings.name,
        "extractor": extractor.name,
        "weight_hash": extractor.weight_hash,
        "resize": extractor.resize,
        "quantised": settings.quantise,
        "split": settings.split,
        "n_real": len(reference.seen.features),
        "n_fake": settings.n_fake,
        "latent_seed": settings.latent_seed,
        "prior": prior,
        "batch_norm": batch_norm,
        "ema": ema_decay,
        "conditional": False,
        "metrics": directions,
    }
