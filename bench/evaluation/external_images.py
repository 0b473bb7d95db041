"""Scores of images that nobody here generated: `bench score --images`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from bench.config import build, validate
from bench.config.process_settings import process_settings
from bench.config.trainer_settings import TrainerSettings
from bench.core.errors import UserError
from bench.data.npz import names_in
from bench.data.user_images import UserImages, read_user_images
from bench.evaluation.evaluator import build_evaluator, split_digests
from bench.evaluation.real_baselines import Found, real_vs_real, split_half_bias
from bench.metrics.frechet import moments
from bench.metrics.inception_score import inception_score
from bench.scoring.distances import distance_of
from bench.scoring.features import Features, Reference, batches_of, extract, shuffled
from bench.scoring.score import (
    ScoreSettings,
    check_counts,
    describe_extractor,
    describe_protocol,
    score_features,
)
from bench.scoring.statistics_file import read_statistics, write_statistics

OWN = {"prior": "unknown", "batch_norm": "unknown", "ema": None}


@dataclass(frozen=True)
class ExternalScores:
    """Scores by name, how they were made, and what real samples score where that is known."""

    protocol: dict[str, Any]
    scores: dict[str, float]
    floors: tuple[Found, ...]


def score_images(
    path: Path,
    reference: str | None,
    overrides: Sequence[str],
    statistics_to: Path | None,
    *,
    floors: bool = True,
) -> ExternalScores | None:
    """Score given images against a data set, other images, or stored statistics.

    Args:
        path: folder of PNG or JPEG files, .npz or .parquet.
        reference: "dataset=NAME", a path as above, or an .npz of statistics; None: no scores, only
            `statistics_to`.
        overrides: Hydra's: score=, features=, dataset.root= and the like.
        statistics_to: where to write mean and covariance of the images' features.
        floors: score real images of the data set beside them.

    Raises:
        UserError: images, reference, extractor or protocol do not fit; nothing is written then.
    """
    cfg = _config(reference, overrides)
    plain = validate.to_plain(cfg)
    validate.check_targets(plain["score"], "score")
    validate.check_targets(plain["features"], "features")
    with validate.as_user_error("trainer"):
        trainer_settings: TrainerSettings = build.instantiate(cfg.trainer)
    with validate.as_user_error("score"):
        wanted: ScoreSettings = build.instantiate(cfg.score)
    with process_settings(plain):
        extractor = build.build_extractor(cfg)
        given = _some(
            read_user_images(path), wanted.n_fake, f"score.n_fake of {wanted.name!r}", path
        )
        wanted = replace(wanted, n_fake=len(given.images))
        fake = _seen(given.images, path, extractor, wanted, trainer_settings)
        found = None
        if reference is not None and reference.startswith("dataset="):
            found = _against_dataset(cfg, plain, trainer_settings, wanted, fake, floors=floors)
        elif reference is not None and _is_statistics(Path(reference)):
            found = _against_statistics(Path(reference), extractor, wanted, fake)
        elif reference is not None:
            found = _against_images(Path(reference), extractor, wanted, trainer_settings, fake)
        if statistics_to is not None:
            facts = {
                **describe_extractor(extractor),
                "quantised": wanted.quantise,
                "source": str(path),
            }
            write_statistics(statistics_to, *moments(fake.features), len(fake), facts)
    return found


def _seen(
    images: np.ndarray,
    path: Path,
    extractor: Any,
    wanted: ScoreSettings,
    trainer_settings: TrainerSettings,
) -> Features:
    batches = batches_of(images, wanted.batch_size)
    found = extract(
        extractor, batches, quantise=wanted.quantise, device=trainer_settings.device,
        keep=wanted.n_images, what=f"{extractor.name} features of {path.name}", total=len(images),
    )  # fmt: skip
    if not np.isfinite(found.features).all():
        raise UserError(
            f"features {extractor.name!r} of {path} are not finite", fix="choose another features="
        )
    return found


def _scored(fake: Features, against: Reference, wanted: ScoreSettings) -> dict[str, float]:
    with validate.as_user_error("score"):
        check_counts(wanted, len(against.real), len(fake))
        return score_features(fake, against, wanted)


def _config(reference: str | None, overrides: Sequence[str]) -> DictConfig:
    chosen, given = build.parse_overrides(overrides), list(overrides)
    if reference is not None and reference.startswith("dataset="):
        given.insert(0, reference)
    elif "features" not in chosen:
        given.insert(0, "features=inception_2015")
    if "score" not in chosen:
        given.insert(0, "score=images")
    return build.compose_config(given)


def _some(given: UserImages, count: int | None, asked: str, path: Path) -> UserImages:
    """As many as are asked for, in an order that depends on nothing but what the images show.

    Files are often sorted by class; the first of them would be no random part.
    """
    there = len(given.images)
    if count is not None and count > there:
        raise UserError(
            f"{path} holds {there:,} images, {asked} asks for {count:,}",
            fix="give more images, choose another score=, or set it to null for all",
        )
    digests = [hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in given.images]
    order = sorted(range(there), key=digests.__getitem__)[:count]
    return replace(given, images=given.images[order])


def _against_dataset(
    cfg: DictConfig,
    plain: dict[str, Any],
    trainer_settings: TrainerSettings,
    wanted: ScoreSettings,
    fake: Features,
    *,
    floors: bool,
) -> ExternalScores:
    source, splits = build.build_splits(cfg)
    cache = Path(plain["runs_root"]) / "references"
    cfg.score.n_fake = len(fake)
    evaluator = build_evaluator(
        cfg, source, split_digests(splits), splits, trainer_settings.device, cache
    )
    scores = _scored(fake, evaluator.reference, wanted)
    protocol = evaluator.protocol(OWN)
    return ExternalScores(
        {"dataset": cfg.names.dataset, **protocol},
        scores,
        (real_vs_real(evaluator), split_half_bias(evaluator)) if floors else (),
    )


def _against_statistics(
    path: Path, extractor: Any, wanted: ScoreSettings, fake: Features
) -> ExternalScores:
    """What statistics allow: the Frechet distance, and the score that looks at no real image."""
    known = read_statistics(path, extractor=extractor)
    stated = known.protocol.get("quantised", wanted.quantise)
    if isinstance(stated, bool) and stated != wanted.quantise:
        raise UserError(
            f"{path} holds statistics of images {'' if stated else 'not '}rounded to 8 bits, "
            f"score.quantise is {str(wanted.quantise).lower()}",
            fix=f"set score.quantise={str(stated).lower()}",
        )
    with validate.as_user_error("score"):
        scores = distance_of(known.mean, known.cov, known.n, fake.features)
    directions = {"frechet": "lower"}
    if fake.logits is not None:
        scores["inception_score"] = inception_score(fake.logits)
        directions["inception_score"] = "higher"
    protocol = {
        "name": wanted.name,
        **describe_extractor(extractor),
        "quantised": wanted.quantise,
        "split": "statistics",
        "n_real": known.n,
        "n_fake": len(fake),
        "reference": known.protocol,
        "metrics": directions,
        **OWN,
    }
    return ExternalScores(protocol, scores, ())


def _against_images(
    path: Path,
    extractor: Any,
    wanted: ScoreSettings,
    trainer_settings: TrainerSettings,
    fake: Features,
) -> ExternalScores:
    others = _some(read_user_images(path), wanted.n_real, f"score.n_real of {wanted.name!r}", path)
    real = _seen(others.images, path, extractor, wanted, trainer_settings)
    against = Reference(shuffled(real))
    scores = _scored(fake, against, wanted)
    data = hashlib.sha256(np.ascontiguousarray(others.images).data).hexdigest()[:16]
    protocol = describe_protocol(wanted, against, extractor, data, OWN)
    return ExternalScores({**protocol, "split": "given"}, scores, ())


def _is_statistics(path: Path) -> bool:
    return path.suffix == ".npz" and "mu" in names_in(path)
