"""Score a set of samples under a protocol that stands beside the scores in their row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from bench.core.batch import Batch
from bench.core.contracts import ContractError, describe_part
from bench.core.errors import UserError
from bench.core.number_checks import is_number, require_whole_number
from bench.networks.batch_statistics import RUNNING, BatchStatistics
from bench.runs.foreign_code import foreign_code
from bench.runs.identity import short_hash
from bench.scoring.features import Features, Reference, extract, shuffle_features
from bench.scoring.metric_spec import MetricSpec, is_points

GREATEST_VALUES = {  # which no sensible protocol comes near
    **{"n_real": 10**7, "n_fake": 10**7, "latent_seed": 2**63 - 1, "noise_seeds": 1000},
    **{"batch_size": 10**6, "every": 10**9, "keep_last": 10**4},
}
HASHED_SETTINGS = ("name", "split", "n_real", "n_fake", "quantise", "latent_seed", "noise_seeds")


@dataclass(frozen=True)
class ScoreSettings:
    """A named protocol; `conf/score/` holds them.

    Args:
        name: name of the protocol.
        split: split of the real samples compared with.
        n_real: number of real samples, the first of the split; None: all.
        n_fake: number of generated samples; None: all images of `bench score --images`.
        quantise: round images to 256 levels before features are computed.
        latent_seed: seed of the latents, the same for every run.
        noise_seeds: number of further latent seeds, whose scores show the evaluation's noise.
        batch_size: samples at once; no part of the protocol.
        metrics: name -> metric.
        select_split: split whose real samples choose among a run's checkpoints.
        select_on_reported: allow `select_split` to be `split`, as the study did.
        every: discriminator steps between the checkpoints that may be chosen; None: only the
            final checkpoint exists.
        keep_last: number of the last such checkpoints that are scored too, for their mean.
        batch_norm: what the generator's batch norm normalises by.
        raw: also score the last weights of a run whose generator is scored as a moving average.

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
    batch_norm: BatchStatistics = RUNNING
    raw: bool = False

    def __post_init__(self) -> None:
        lowest = {"n_fake": 2, "batch_size": 1, "n_real": 2, "noise_seeds": 0, "every": 1}
        for key, low in {**lowest, "keep_last": 0, "latent_seed": None}.items():
            value = getattr(self, key)
            if key in ("n_real", "n_fake", "every") and value is None:
                continue
            require_whole_number(f"score.{key}", value, low)
            if abs(value) > (greatest := GREATEST_VALUES[key]):
                raise ValueError(f"score.{key} is {value}; choose one within {greatest:,}")
        if not isinstance(self.metrics, Mapping) or not self.metrics:
            raise ValueError(f"score.metrics is {self.metrics!r}, not one or more metrics by name")
        for name, metric in self.metrics.items():
            if not isinstance(metric, MetricSpec):
                found = f"score.metrics.{name} is {describe_part(metric)}"
                raise ContractError(f"{found}; a metric is a bench.scoring.metric_spec.MetricSpec")
        for key in ("quantise", "select_on_reported", "raw"):
            if not isinstance(getattr(self, key), bool):
                raise ValueError(f"score.{key} is {getattr(self, key)!r}, not true or false")

    @property
    def needs(self) -> frozenset[str]:
        """Inputs of the metrics beside features: "train", "sampler", "labels"."""
        return frozenset().union(*(m.needs for m in self.metrics.values()))

    def without_labels(self) -> Self:
        """Return the settings for samples that have no classes.

        Raises:
            UserError: no metric is left.
        """
        kept = {name: m for name, m in self.metrics.items() if "labels" not in m.needs}
        if not kept:
            message = f"samples without classes have no {', '.join(self.metrics)}"
            raise UserError(message, fix="choose another score=, or a conditional run")
        return replace(self, metrics=kept)

    @property
    def n_images(self) -> int:
        """Number of images that are kept for metrics that look at pixels."""
        return max((m.n_images for m in self.metrics.values()), default=0)


def check_counts(settings: ScoreSettings, n_real: int, n_fake: int) -> None:
    """Refuse, before anything is computed, fewer samples than a metric can work on.

    Raises:
        ValueError: a metric needs more samples.
    """
    for name, metric in settings.metrics.items():
        if metric.required_samples > min(n_real, n_fake):
            wanted = f"{metric.required_samples} samples on either side at least"
            found = f"{n_real:,} real and {n_fake:,} generated"
            way_out = f"'~score.metrics.{name}' takes it out"
            raise ValueError(f"{name} takes {wanted}, found {found}; {way_out}")


def applicable(settings: ScoreSettings, reference: Reference) -> dict[str, MetricSpec]:
    """Return the metrics that are defined for these data."""
    return {name: m for name, m in settings.metrics.items() if m.applies(reference)}


def score_batches(
    batches: Iterable[Tensor | Batch],
    reference: Reference,
    extractor: nn.Module,
    settings: ScoreSettings,
    device: torch.device,
    sampler: Any = None,
    notes: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Return every score of the protocol that applies, and details with a dot in their names.

    Args:
        batches: samples to score, float32 [B, ...], with labels where they have some.
        sampler: the generator's sampler, for metrics that ask for it.
        notes: filled with what metrics return beside numbers, and the samples' "order".

    Raises:
        FloatingPointError: a sample is not finite.
    """
    quantise, n_images = settings.quantise, settings.n_images
    fake = extract(extractor, batches, quantise=quantise, device=device, n_images=n_images)
    return score_features(fake, reference, settings, sampler, notes)


def score_features(
    fake: Features,
    reference: Reference,
    settings: ScoreSettings,
    sampler: Any = None,
    notes: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Return every score and detail from features in the order of drawing or reading.

    Args:
        fake: features of the samples to score, not shuffled.
        sampler, notes: see `score_batches`.
    """
    notes = {} if notes is None else notes
    shuffled = replace(shuffle_features(fake), sampler=sampler, notes=notes)
    notes["order"] = shuffled.order
    scores: dict[str, float] = {}
    for name, metric in applicable(settings, reference).items():
        part = metric(reference, shuffled)
        _check_scores(name, metric, part, metric.names(reference))
        scores.update(part)
    return scores


def _check_scores(name: str, metric: MetricSpec, part: Any, directions: Mapping[str, str]) -> None:
    """Refuse, with a ContractError, what is no score -> number with the declared scores."""
    returned = f"metric {name!r}, {describe_part(metric)}, returned"
    if not isinstance(part, Mapping) or not all(is_number(v) for v in part.values()):
        raise ContractError(f"{returned} {part!r:.80}; it returns scores by name, as numbers")
    if undeclared := sorted(k for k in part if "." not in k and k not in directions):
        missing = f"{returned} {', '.join(undeclared)}, which its directions do not name"
        raise ContractError(f"{missing} (they name: {', '.join(directions) or 'none'})")


def describe_protocol(
    settings: ScoreSettings,
    reference: Reference,
    extractor: nn.Module,
    data: str,
    run_settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what all scores of a row depend on; `describe_measures` has the rest.

    Args:
        data: digest of the real samples compared with.
        run_settings: prior and ema of the run, and what its batch norm normalises by; how classes
            are drawn, where they are.
    """
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
        **run_settings,
    }


def describe_measures(
    settings: ScoreSettings, reference: Reference, extractor: nn.Module
) -> dict[str, dict[str, Any]]:
    """Return what each measure's scores depend on beside the row's protocol, and its request.

    Returns:
        measure -> "scores": score -> direction, empty where the measure does not apply;
        "arguments" of `conf/metric/`; "code" of the measure, if it lies outside the package;
        "request", see `requests`.
    """
    asked = requests(settings, extractor)
    return {
        name: {
            "scores": dict(metric.names(reference)) if metric.applies(reference) else {},
            **_measure_identity(metric),
            "request": asked[name],
        }
        for name, metric in settings.metrics.items()
    }


def describe_extractor(extractor: nn.Module) -> dict[str, Any]:
    """Return the extractor's identity: name, hash of its weights, resize, code if not ours."""
    keys = {"extractor": "name", "weight_hash": "weight_hash", "resize": "resize"}
    described = {key: getattr(extractor, attribute) for key, attribute in keys.items()}
    code = _foreign_code(extractor)
    return {**described, "extractor_code": code} if code else described


def requests(settings: ScoreSettings, extractor: nn.Module) -> dict[str, str]:
    """Return measure -> hash of all that its scores depend on except the data and the run.

    It holds nothing of the other measures: one that is added to a protocol changes no other's.
    """
    shared = {
        **{key: getattr(settings, key) for key in HASHED_SETTINGS},
        **settings.batch_norm.stated(),
        "extractor": describe_extractor(extractor),
    }
    return {
        name: short_hash({**shared, "measure": name, **_measure_identity(metric)})
        for name, metric in settings.metrics.items()
    }


def _measure_identity(metric: MetricSpec) -> dict[str, Any]:
    """Return the arguments that a score depends on, all but the memory limit, and foreign code."""
    fields = getattr(metric, "__dataclass_fields__", ())
    arguments = {name: getattr(metric, name) for name in fields if name != "max_bytes"}
    code = _foreign_code(metric)
    return {"arguments": arguments, "code": code} if code else {"arguments": arguments}


def _foreign_code(part: object) -> dict[str, str]:
    kind = type(part)
    return foreign_code({"_target_": f"{kind.__module__}.{kind.__qualname__}"})
