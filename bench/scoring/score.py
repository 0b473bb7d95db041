"""Scores of a set of samples under a protocol that travels with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from bench.runs.identity import short_hash
from bench.scoring.features import Features, Reference, extract, shuffled
from bench.scoring.metric_spec import MetricSpec, is_points

ASKED = ("name", "split", "n_real", "n_fake", "quantise", "latent_seed", "noise_seeds")


@dataclass(frozen=True)
class ScoreSettings:
    """A named protocol; `conf/score/` holds them.

    Args:
        name: of the protocol.
        split: of the real samples compared with.
        n_real: how many of them, the first; None for all.
        n_fake: generated samples; None for all that are given.
        quantise: round images to 256 levels before features are taken.
        latent_seed: of the latents, the same for every run.
        noise_seeds: further latent seeds, whose scores tell the noise of the evaluation.
        batch_size: samples at once; no part of the protocol.
        metrics: measures by name.
        select_split: real samples that choose among a run's checkpoints.
        select_on_reported: let them be those of `split`, as the study did.
        every: discriminator steps between the checkpoints that may be chosen; None: the last
            one is all there is.
        keep_last: how many of the last such checkpoints are scored too, for their mean.

    Raises:
        ValueError: a number is out of range.
    """

    name: str
    split: str
    n_real: int | None
    n_fake: int | None
    quantise: bool
    latent_seed: int
    noise_seeds: int
    batch_size: int
    metrics: Mapping[str, MetricSpec]
    select_split: str
    select_on_reported: bool
    every: int | None
    keep_last: int

    def __post_init__(self) -> None:
        least = {"n_fake": 2, "batch_size": 1, "n_real": 2, "noise_seeds": 0, "every": 1}
        for key, low in {**least, "keep_last": 0, "latent_seed": None}.items():
            value = getattr(self, key)
            if key in ("n_real", "n_fake", "every") and value is None:
                continue
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or (low is not None and value < low):
                since = "" if low is None else f" from {low} on"
                raise ValueError(f"score.{key} is {value!r}; a whole number{since}")
        if not isinstance(self.metrics, Mapping) or not self.metrics:
            raise ValueError(f"score.metrics is {self.metrics!r}; measures by name, one at least")
        for key in ("quantise", "select_on_reported"):
            if not isinstance(getattr(self, key), bool):
                raise ValueError(f"score.{key} is {getattr(self, key)!r}; true or false")

    @property
    def needs(self) -> frozenset[str]:
        """What the measures ask for beside real and generated features."""
        return frozenset().union(*(m.needs for m in self.metrics.values()))

    @property
    def n_images(self) -> int:
        """How many images are kept for measures that look at pixels."""
        return max((m.n_images for m in self.metrics.values()), default=0)


def check_counts(settings: ScoreSettings, n_real: int, n_fake: int) -> None:
    """Refuse before anything is computed what a measure could not work on.

    Raises:
        ValueError: a measure wants more samples.
    """
    for name, measure in settings.metrics.items():
        if measure.least > min(n_real, n_fake):
            raise ValueError(
                f"{name} takes {measure.least} samples on either side at least, "
                f"found {n_real:,} real and {n_fake:,} generated"
            )


def applicable(settings: ScoreSettings, reference: Reference) -> dict[str, MetricSpec]:
    """The measures that have a meaning for these data."""
    return {name: m for name, m in settings.metrics.items() if m.applies(reference)}


def score_batches(
    batches: Iterable[Tensor],
    reference: Reference,
    extractor: nn.Module,
    settings: ScoreSettings,
    device: torch.device,
    sampler: Any = None,
    notes: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Every score of the protocol that applies, by name; details have a dot in theirs.

    Args:
        batches: samples to judge, float32 [B, ...].
        sampler: of the generator, for measures that ask for it.
        notes: takes what measures found beside numbers, and the samples' "order".

    Raises:
        FloatingPointError: a sample is not finite.
    """
    keep, quantise = settings.n_images, settings.quantise
    fake = extract(extractor, batches, quantise=quantise, device=device, keep=keep)
    return score_features(fake, reference, settings, sampler, notes)


def score_features(
    fake: Features,
    reference: Reference,
    settings: ScoreSettings,
    sampler: Any = None,
    notes: dict[str, Any] | None = None,
) -> dict[str, float]:
    """The same from features in the order in which they were drawn or read."""
    notes = {} if notes is None else notes
    seen = replace(shuffled(fake), sampler=sampler, notes=notes)
    notes["order"] = seen.order
    scores: dict[str, float] = {}
    for measure in applicable(settings, reference).values():
        scores.update(measure(reference, seen))
    return scores


def describe_protocol(
    settings: ScoreSettings,
    reference: Reference,
    extractor: nn.Module,
    data: str,
    own: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that makes two scores comparable, for the row.

    Args:
        data: digest of the real samples compared with.
        own: prior, batch_norm and ema of the run.
    """
    measures = applicable(settings, reference)
    directions = {k: way for m in measures.values() for k, way in m.names(reference).items()}
    return {
        "name": settings.name,
        **describe_extractor(extractor),
        "quantised": None if is_points(reference) else settings.quantise,
        "split": settings.split,
        "data": data,
        "n_real": len(reference.real),
        "n_fake": settings.n_fake,
        "latent_seed": settings.latent_seed,
        "noise_seeds": settings.noise_seeds,
        "conditional": False,
        "metrics": directions,
        "measures": {name: _arguments(m) for name, m in measures.items()},
        **own,
    }


def describe_extractor(extractor: nn.Module) -> dict[str, str]:
    """What makes two extractors the same one."""
    keys = {"extractor": "name", "weight_hash": "weight_hash", "resize": "resize"}
    return {key: getattr(extractor, name) for key, name in keys.items()}


def protocol_hash(settings: ScoreSettings, extractor: nn.Module) -> str:
    """Hash of what a config asks for: all that a number depends on but the data and the run."""
    asked = {
        **{key: getattr(settings, key) for key in ASKED},
        "measures": {name: _arguments(m) for name, m in settings.metrics.items()},
        "extractor": describe_extractor(extractor),
    }
    return short_hash(asked)


def _arguments(measure: MetricSpec) -> dict[str, Any]:
    """The numbers of `conf/metric/` that a score depends on; how much memory it takes is none."""
    held = {name: getattr(measure, name) for name in getattr(measure, "__dataclass_fields__", ())}
    return {k: v for k, v in held.items() if k != "max_bytes"}
