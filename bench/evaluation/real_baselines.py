"""What real samples score: the floor of a table, and the bias of its sample sizes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.evaluation.evaluator import Judge
from bench.evaluation.score_run import row_of
from bench.runs.identity import short_hash
from bench.runs.rows import OWN_CHOICES, Row, read_row, write_row
from bench.scoring.features import Features, Reference, shuffled
from bench.scoring.score import score_features

COUNTS = {"status": "finished", "cause": "", "d_steps": 0, "g_steps": 0, "images": 0}
NOBODY = {"prior": "none", "batch_norm": "none", "ema": None, "noise_seeds": 0}


def floors_are_missing(root: Path, row: Row, judge: Judge) -> bool:
    """Whether the data set and protocol of a row lack their floor or their bias."""
    rows = sorted((root / folder_of(row) / "rows").glob("[!.]*.json"))
    feasible = {"real": _others(judge)[1], "real_halves": _halves(judge)[1]}
    wanted = {variant for variant, count in feasible.items() if count}
    return not wanted <= {read_row(path).variant for path in rows}


def score_floors(root: Path, plain: Mapping[str, Any], judge: Judge, row: Row) -> list[Row]:
    """Score real samples as if generated; see `floor` and `bias`."""
    found = [floor(judge), bias(judge)]
    rows = []
    for variant, scores, changes in found:
        if scores:
            protocol = {**row.protocol, **NOBODY, **changes}
            protocol.pop("chosen", None)
            names = {**plain["names"], "variant": variant, "loss": "", "model": "", "network": ""}
            nobody = {"names": names, "seed": 0, "hyperparameters": {}}
            rows.append(row_of(nobody, folder_of(row), COUNTS, scores, protocol, "final"))
            write_row(root, rows[-1])
    return rows


Found = tuple[str, dict[str, float], dict[str, Any]]  # variant, scores, changes of the protocol


def floor(judge: Judge) -> Found:
    """Real samples of another split against the reference: what no generator should beat.

    As many as the protocol asks of a generator, or all where there are fewer. Memorisation is that
    of the held-out images: those that train are their own copies.
    """
    settings, reals = judge.settings, judge.reals
    split, count = _others(judge)
    if not count:
        return "real", {}, {}
    there = reals.facts[split]["count"]
    whole = judge.reference.train is not None  # then its features are there already
    seen = reals.features(split, there if whole else count)
    scores = score_features(_first(judge, seen, split, count), judge.reference, settings)
    if split == "train" and "memorised.held_out" in scores:
        scores = {k: v for k, v in scores.items() if not k.startswith("memorised.")} | {
            "memorised": scores["memorised.held_out"]
        }
    return "real", scores, {"n_fake": count, "floor": split}


def bias(judge: Judge) -> Found:
    """N real samples against N others of the same split: what sampling alone costs.

    N is what the protocol asks of a generator, or half of the split where there are fewer.
    """
    settings, reals = judge.settings, judge.reals
    split, count = _halves(judge)
    if not count:
        return "real_halves", {}, {}
    there = reals.facts[split]["count"]
    whole = judge.reference.train is not None
    seen = reals.features(split, there if whole else 2 * count)
    real = shuffled(seen.rows(slice(count, 2 * count)))
    reference = Reference(real, source=judge.source)
    scores = score_features(_first(judge, seen, split, count), reference, settings)
    counts = {"n_real": count, "n_fake": count}
    data = {"split": split, "data": reals.digest(split), "floor": split}
    return "real_halves", scores, counts | data


def _others(judge: Judge) -> tuple[str, int]:
    """The split that stands for generated samples, and how many; 0 where too few are there."""
    split = "test" if judge.settings.split == "train" else "train"
    there = judge.reals.count(split, None, "the floor's split")
    count = min(there, judge.settings.n_fake or there)
    return split, count if count >= _least(judge) else 0


def _halves(judge: Judge) -> tuple[str, int]:
    """The largest split, and how many of it stand on either side; 0 where too few are there."""
    facts = judge.reals.facts
    split = max(sorted(facts), key=lambda name: facts[name]["count"])
    half = facts[split]["count"] // 2
    count = min(half, judge.settings.n_fake or half)
    return split, count if count >= _least(judge) else 0


def _least(judge: Judge) -> int:
    """Samples that every measure can work on."""
    return max(measure.least for measure in judge.settings.metrics.values())


def _first(judge: Judge, seen: Features, split: str, count: int) -> Features:
    images = judge.reals.images(split, min(count, judge.settings.n_images))
    return replace(seen.rows(slice(count)), images=images)


def folder_of(row: Row) -> str:
    """Under which name the floors of a row's protocol and data set lie."""
    protocol = {k: v for k, v in row.protocol.items() if k not in (*OWN_CHOICES, "chosen")}
    return f"real-{short_hash({'dataset': row.dataset, **protocol})}"
