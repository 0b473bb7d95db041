"""Score samples that other software made: `bench score --images`, `bench score --generator`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from bench.config import build, validate
from bench.config.error_messages import as_user_error
from bench.config.process_settings import process_settings
from bench.config.trainer_settings import TrainerSettings
from bench.core.errors import UserError
from bench.data.npz import holds_statistics
from bench.data.user_images import read_user_images
from bench.evaluation.evaluator import build_evaluator, digest_splits
from bench.evaluation.real_baselines import Baseline, real_vs_real, split_half_bias
from bench.evaluation.user_generator import draw_samples, load_generator
from bench.metrics.frechet import moments
from bench.metrics.inception_score import inception_score
from bench.scoring import score as scoring
from bench.scoring.distances import frechet_scores
from bench.scoring.features import Features, Reference, extract, iter_batches, shuffle_features
from bench.scoring.score import ScoreSettings
from bench.scoring.statistics_file import read_statistics, write_statistics

UNKNOWN_SETTINGS = {"prior": "unknown", "batch_norm": "unknown", "ema": None}


@dataclass(frozen=True)
class ExternalScores:
    """Scores by name, their protocol and measures as in a row, and the scores of real samples."""

    protocol: dict[str, Any]
    measures: dict[str, dict[str, Any]]
    scores: dict[str, float]
    baselines: tuple[Baseline, ...]


def score_images(
    path: Path,
    reference: str | None,
    overrides: Sequence[str],
    statistics_path: Path | None,
    *,
    convert: str | None = None,
    baselines: bool = True,
    generator: str | None = None,
) -> ExternalScores | None:
    """Score images against a data set, other images, or stored statistics.

    Args:
        path: folder of images or of Parquet files, .npz or .parquet file.
        reference: "dataset=NAME", images as in `path`, or a file of statistics; None: no scores,
            only `statistics_path`.
        overrides: Hydra overrides: score=, features=, dataset.root= and the like.
        statistics_path: file to write mean and covariance of the images' features to; None: none.
        convert: "grey" or "rgb": convert the images, and those of `reference`, to it; the protocol
            says so. None: keep their colours.
        baselines: score real images of the data set too.
        generator: MODULE:FUNCTION that draws the samples in place of `path`, which is its name.

    Raises:
        UserError: images, reference, extractor or protocol do not agree; nothing is written then.
    """
    cfg = _compose_config(reference, overrides)
    plain = validate.to_plain(cfg)
    validate.check_targets(plain["score"], "score")
    validate.check_targets(plain["features"], "features")
    with as_user_error("trainer"):
        trainer_settings: TrainerSettings = build.instantiate(cfg.trainer)
    with as_user_error("score"):
        settings: ScoreSettings = build.instantiate(cfg.score).without_labels()
    with process_settings(plain):
        extractor = build.build_extractor(cfg)
        key = f"score.n_fake of {settings.name!r}"
        if generator is not None:
            images = _draw(generator, settings)
        else:
            images = _sample_images(read_user_images(path, convert), settings.n_fake, key, path)
        settings = replace(settings, n_fake=len(images))
        fake = _extract_features(images, path, extractor, settings, trainer_settings)
        result = None
        if reference is not None and reference.startswith("dataset="):
            result = _against_dataset(cfg, trainer_settings, settings, fake, baselines=baselines)
        elif reference is not None and holds_statistics(Path(reference)):
            result = _against_statistics(Path(reference), extractor, settings, fake)
        elif reference is not None:
            given = Path(reference), convert
            result = _against_images(*given, extractor, settings, trainer_settings, fake)
        if result is not None and convert is not None:
            result = replace(result, protocol={**result.protocol, "converted": convert})
        if statistics_path is not None:
            protocol = {"quantised": settings.quantise, "source": str(path)}
            protocol |= scoring.describe_extractor(extractor)
            protocol |= {} if convert is None else {"converted": convert}
            write_statistics(statistics_path, *moments(fake.features), len(fake), protocol)
    return result


def _draw(generator: str, settings: ScoreSettings) -> np.ndarray:
    if settings.n_fake is None:
        fix = "set score.n_fake=10000, say, or choose another score="
        raise UserError("--generator wants a number of samples; score.n_fake is null", fix=fix)
    generate = load_generator(generator)
    return draw_samples(generate, generator, settings.n_fake, settings.latent_seed)


def _extract_features(
    images: np.ndarray,
    path: Path,
    extractor: Any,
    settings: ScoreSettings,
    trainer_settings: TrainerSettings,
) -> Features:
    shape = tuple(getattr(extractor, "shape", images.shape[1:]))
    if images.ndim == 4 and {shape[0], images.shape[1]} == {1, 3} and shape[1:] == images.shape[2:]:
        stored, wanted, convert = ("in colour", "grey", "grey")
        if shape[0] == 3:
            stored, wanted, convert = ("grey", "colour", "rgb")
        raise UserError(
            f"features {extractor.name!r} takes {wanted} images; those of {path} are {stored}",
            fix=f"add --convert {convert}, or choose another features=",
        )
    features = extract(
        extractor,
        iter_batches(images, settings.batch_size),
        quantise=settings.quantise,
        device=trainer_settings.device,
        n_images=settings.n_images,
        description=f"{extractor.name} features of {path.name}",
        total=len(images),
    )
    if not np.isfinite(features.features).all():
        message = f"features {extractor.name!r} of {path} are not finite"
        raise UserError(message, fix="choose another features=")
    return features


def _score(fake: Features, reference: Reference, settings: ScoreSettings) -> dict[str, float]:
    with as_user_error("score"):
        scoring.check_counts(settings, len(reference.real), len(fake))
        return scoring.score_features(fake, reference, settings)


def _compose_config(reference: str | None, overrides: Sequence[str]) -> DictConfig:
    """Compose the config; defaults: score=images and, without a data set, Inception features."""
    keys, overrides = build.parse_overrides(overrides), list(overrides)
    if reference is not None and reference.startswith("dataset="):
        overrides.insert(0, reference)
    elif "features" not in keys:
        overrides.insert(0, "features=inception_2015")
    if "score" not in keys:
        overrides.insert(0, "score=images")
    return build.compose_config(overrides)


def _sample_images(images: np.ndarray, count: int | None, key: str, path: Path) -> np.ndarray:
    """Return `count` of the images, or all, in an order that depends on their content alone.

    Files are often sorted by class: the first `count` of them would be no random sample.

    Args:
        key: config key that asks for them, for the error message.
    """
    if count is not None and count > (available := len(images)):
        fix = "give more images, choose another score=, or set it to null for all"
        raise UserError(f"{path} holds {available:,} images, {key} asks for {count:,}", fix=fix)
    digests = [hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in images]
    return images[sorted(range(len(images)), key=digests.__getitem__)[:count]]


def _against_dataset(
    cfg: DictConfig,
    trainer_settings: TrainerSettings,
    settings: ScoreSettings,
    fake: Features,
    *,
    baselines: bool,
) -> ExternalScores:
    source, splits = build.build_splits(cfg)
    cache, device = Path(cfg.runs_root) / "references", trainer_settings.device
    cfg.score.n_fake = len(fake)
    everything = build_evaluator(cfg, source, digest_splits(splits), splits, device, cache)
    evaluator = everything.without_labels
    scores = _score(fake, evaluator.reference, settings)
    protocol = {"dataset": cfg.names.dataset, **evaluator.describe_protocol(UNKNOWN_SETTINGS)}
    reals = (real_vs_real(evaluator), split_half_bias(evaluator)) if baselines else ()
    return ExternalScores(protocol, evaluator.describe_measures(), scores, reals)


def _against_statistics(
    path: Path, extractor: Any, settings: ScoreSettings, fake: Features
) -> ExternalScores:
    """Return the scores that need no real image: Frechet distance and Inception Score."""
    statistics = read_statistics(path, extractor=extractor)
    quantised = statistics.protocol.get("quantised", settings.quantise)
    if isinstance(quantised, bool) and quantised != settings.quantise:
        rounded, wanted = "rounded" if quantised else "not rounded", str(settings.quantise).lower()
        held = f"{path} holds statistics of images {rounded} to 8 bits"
        fix = f"set score.quantise={str(quantised).lower()}"
        raise UserError(f"{held}, score.quantise is {wanted}", fix=fix)
    with as_user_error("score"):
        scores = frechet_scores(statistics.mean, statistics.cov, statistics.n, fake.features)
    directions = {"frechet": "lower"}
    if fake.logits is not None:
        scores["inception_score"] = inception_score(fake.logits)
        directions["inception_score"] = "higher"
    measures = {name: {"scores": {name: way}, "arguments": {}} for name, way in directions.items()}
    protocol = {
        "name": settings.name,
        **scoring.describe_extractor(extractor),
        "quantised": settings.quantise,
        "split": "statistics",
        "n_real": statistics.n,
        "n_fake": len(fake),
        "reference": statistics.protocol,
        **UNKNOWN_SETTINGS,
    }
    return ExternalScores(protocol, measures, scores, ())


def _against_images(
    path: Path,
    convert: str | None,
    extractor: Any,
    settings: ScoreSettings,
    trainer_settings: TrainerSettings,
    fake: Features,
) -> ExternalScores:
    key = f"score.n_real of {settings.name!r}"
    images = _sample_images(read_user_images(path, convert), settings.n_real, key, path)
    real = _extract_features(images, path, extractor, settings, trainer_settings)
    reference = Reference(shuffle_features(real))
    scores = _score(fake, reference, settings)
    digest = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()[:16]
    protocol = scoring.describe_protocol(settings, reference, extractor, digest, UNKNOWN_SETTINGS)
    measures = scoring.describe_measures(settings, reference, extractor)
    return ExternalScores({**protocol, "split": "given"}, measures, scores, ())
