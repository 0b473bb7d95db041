"""Score real samples as if they were generated: a table's baselines.

`real` is real against real, the score that no generator should beat; `real_halves` is the bias of
the protocol's numbers of samples.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from bench.core.files import replacing
from bench.evaluation.evaluator import Evaluator
from bench.evaluation.score_run import build_row
from bench.plotting.image_grid import MOST_ROWS, SIDE, make_grid
from bench.runs.folder import RunFolder
from bench.runs.heartbeat import remove_partial_files
from bench.runs.rows import Row, baseline_folder, read_rows, write_row
from bench.scoring.features import Features, Reference, iter_batches, shuffle_features
from bench.scoring.score import score_features

NO_TRAINING = {"status": "finished", "cause": "", "d_steps": 0, "g_steps": 0, "images": 0}
NO_MODEL_SETTINGS = {"prior": "none", "batch_norm": "none", "ema": None, "noise_seeds": 0}


class Baseline(NamedTuple):
    """Scores of real samples.

    Args:
        variant: "real" or "real_halves", as in the variant of its row.
        scores: score or detail by name; empty where too few real samples are there.
        protocol_changes: entries in which its protocol differs from that of a generator's row.
    """

    variant: str
    scores: dict[str, float]
    protocol_changes: dict[str, Any]


def baselines_missing(root: Path, row: Row, evaluator: Evaluator) -> bool:
    """Return whether a baseline that the data allow lacks a score of a row's data and protocol."""
    evaluator = _evaluator_of(row, evaluator)
    other, half = _choose_other_split(evaluator)[1], _choose_halved_split(evaluator)[1]
    feasible = (variant for variant, n in {"real": other, "real_halves": half}.items() if n)
    return any(_missing_measures(root, row, evaluator, variant) for variant in feasible)


def write_picture(root: Path, row: Row, evaluator: Evaluator) -> None:
    """Write a picture of real images into the folder of a row's baselines, unless it has one.

    The images are evenly spaced in their split, which may be sorted by class; beside a conditional
    run they are the first of each class, in a row, as in its own picture. Points have none.
    """
    folder, splits = RunFolder(root, baseline_folder(row)), evaluator.real_features.splits
    path = folder.samples / "final.png"
    if splits is None or path.exists() or not folder.path.is_dir():
        return
    split = splits[_choose_other_split(evaluator)[0]]
    if split.samples.ndim != 4:
        return
    places = np.linspace(0, len(split.samples) - 1, SIDE * SIDE).round().astype(int)
    if row.protocol.get("conditional") and split.labels is not None:
        of_class = (np.flatnonzero(split.labels == k) for k in np.unique(split.labels))
        whole_rows = [found[:SIDE] for found in of_class if len(found) >= SIDE][:MOST_ROWS]
        places = np.concatenate(whole_rows) if whole_rows else places
    picture = make_grid(torch.cat(list(iter_batches(split.samples[places], len(places)))), SIDE)
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")


def _evaluator_of(row: Row, evaluator: Evaluator) -> Evaluator:
    """Return the evaluator for samples like those of a row: with classes, or without."""
    return evaluator.for_samples(conditional=row.protocol.get("conditional", False))


def _missing_measures(root: Path, row: Row, evaluator: Evaluator, variant: str) -> set[str]:
    rows = [r for r in read_rows(root, [baseline_folder(row)]) if r.variant == variant]
    scored = {measure["request"] for r in rows for measure in r.measures.values()}
    return {name for name, request in evaluator.requests.items() if request not in scored}


def score_baselines(
    root: Path, plain: Mapping[str, Any], evaluator: Evaluator, row: Row
) -> list[Row]:
    """Write and return rows of the scores that `real` and `real_halves` lack."""
    rows = []
    evaluator = _evaluator_of(row, evaluator)
    for variant, score in (("real", real_vs_real), ("real_halves", split_half_bias)):
        if not (missing := _missing_measures(root, row, evaluator, variant)):
            continue
        part = evaluator.only(missing)
        _, scores, protocol_changes = score(part)
        if protocol_changes:
            protocol = {**row.protocol, **NO_MODEL_SETTINGS, **protocol_changes}
            protocol.pop("chosen", None)
            no_model = {"loss": "", "penalty": "none", "model": "", "network": ""}
            names = {**plain["names"], "variant": variant, **no_model}
            config = {"names": names, "seed": 0, "hyperparameters": {}}
            folder, measures = baseline_folder(row), part.describe_measures()
            remove_partial_files(root / folder)
            rows.append(build_row(config, folder, NO_TRAINING, scores, protocol, measures, "final"))
            write_row(root, rows[-1])
    return rows


def real_vs_real(evaluator: Evaluator) -> Baseline:
    """Score real samples of another split against the reference: no generator should beat them.

    As many as the protocol asks of a generator, or all where there are fewer. Memorisation is that
    of the held-out images: the training images are their own copies.
    """
    settings, reals = evaluator.settings, evaluator.real_features
    split, count = _choose_other_split(evaluator)
    if not count:
        return Baseline("real", {}, {})
    # Where the reference needs the training features, those of the whole split are cached already.
    use_all = evaluator.reference.train is not None
    features = reals.features(split, reals.split_digests[split]["count"] if use_all else count)
    fake = _take_first(evaluator, features, split, count)
    scores = score_features(fake, evaluator.reference, settings)
    if split == "train" and "memorised.held_out" in scores:
        held_out = scores["memorised.held_out"]
        scores = {k: v for k, v in scores.items() if not k.startswith("memorised.")}
        scores["memorised"] = held_out
    return Baseline("real", scores, {"n_fake": count, "floor": split})


def split_half_bias(evaluator: Evaluator) -> Baseline:
    """Score N real samples against N others of the same split: the bias of N samples.

    N is what the protocol asks of a generator, or half of the split where there are fewer.
    """
    settings, reals = evaluator.settings, evaluator.real_features
    split, count = _choose_halved_split(evaluator)
    if not count:
        return Baseline("real_halves", {}, {})
    use_all = evaluator.reference.train is not None
    available = reals.split_digests[split]["count"]
    features = reals.features(split, available if use_all else 2 * count)
    real = shuffle_features(features.subset(slice(count, 2 * count)))
    reference = Reference(real, source=evaluator.source)
    fake = _take_first(evaluator, features, split, count)
    scores = score_features(fake, reference, settings)
    data = {"split": split, "data": reals.digest(split), "floor": split}
    return Baseline("real_halves", scores, {"n_real": count, "n_fake": count, **data})


def _choose_other_split(evaluator: Evaluator) -> tuple[str, int]:
    """Return the split in the generator's place and its number of samples; 0: too few are there."""
    split = "test" if evaluator.settings.split == "train" else "train"
    available = evaluator.real_features.count(split, None, "the split of the real baseline")
    count = min(available, evaluator.settings.n_fake or available)
    return split, count if count >= _required_samples(evaluator) else 0


def _choose_halved_split(evaluator: Evaluator) -> tuple[str, int]:
    """Return the largest split and the number of samples in each half; 0: too few are there."""
    digests = evaluator.real_features.split_digests
    split = max(sorted(digests), key=lambda name: digests[name]["count"])
    half = digests[split]["count"] // 2
    count = min(half, evaluator.settings.n_fake or half)
    return split, count if count >= _required_samples(evaluator) else 0


def _required_samples(evaluator: Evaluator) -> int:
    """Return the number of samples from which on every metric of the protocol works."""
    return max(metric.required_samples for metric in evaluator.settings.metrics.values())


def _take_first(evaluator: Evaluator, features: Features, split: str, count: int) -> Features:
    """Return the first `count` samples of a split, with the images that the metrics look at."""
    images = evaluator.real_features.images(split, min(count, evaluator.settings.n_images))
    return replace(features.subset(slice(count)), images=images)
