"""What real samples score: the floor of a table, and the bias of its sample sizes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.evaluation.evaluator import Evaluator
from bench.evaluation.score_run import build_row
from bench.runs.identity import short_hash
from bench.runs.rows import OWN_CHOICES, Row, read_row, write_row
from bench.scoring.features import Features, Reference, shuffled
from bench.scoring.score import score_features

COUNTS = {"status": "finished", "cause": "", "d_steps": 0, "g_steps": 0, "images": 0}
NO_MODEL = {"prior": "none", "batch_norm": "none", "ema": None, "noise_seeds": 0}


def baselines_missing(root: Path, row: Row, evaluator: Evaluator) -> bool:
    """Whether the data set and protocol of a row lack their floor or their bias."""
    rows = sorted((root / baseline_folder(row) / "rows").glob("[!.]*.json"))
    feasible = {"real": _others(evaluator)[1], "real_halves": _halves(evaluator)[1]}
    wanted = {variant for variant, count in feasible.items() if count}
    return not wanted <= {read_row(path).variant for path in rows}


def score_baselines(
    root: Path, plain: Mapping[str, Any], evaluator: Evaluator, row: Row
) -> list[Row]:
    """Score real samples as if generated; see `real_vs_real` and `split_half_bias`."""
    found = [real_vs_real(evaluator), split_half_bias(evaluator)]
    rows = []
    for variant, scores, changes in found:
        if scores:
            protocol = {**row.protocol, **NO_MODEL, **changes}
            protocol.pop("chosen", None)
            names = {**plain["names"], "variant": variant, "loss": "", "model": "", "network": ""}
            nobody = {"names": names, "seed": 0, "hyperparameters": {}}
            rows.append(build_row(nobody, baseline_folder(row), COUNTS, scores, protocol, "final"))
            write_row(root, rows[-1])
    return rows


Found = tuple[str, dict[str, float], dict[str, Any]]  # variant, scores, changes of the protocol


def real_vs_real(evaluator: Evaluator) -> Found:
    """Real samples of another split against the reference: what no generator should beat.

    As many as the protocol asks of a generator, or all where there are fewer. Memorisation is that
    of the held-out images: those that train are their own copies.
    """
    settings, reals = evaluator.settings, evaluator.reals
    split, count = _others(evaluator)
    if not count:
        return "real", {}, {}
    there = reals.facts[split]["count"]
    whole = evaluator.reference.train is not None  # then its features are there already
    seen = reals.features(split, there if whole else count)
    scores = score_features(_first(evaluator, seen, split, count), evaluator.reference, settings)
    if split == "train" and "memorised.held_out" in scores:
        scores = {k: v for k, v in scores.items() if not k.startswith("memorised.")} | {
            "memorised": scores["memorised.held_out"]
        }
    return "real", scores, {"n_fake": count, "floor": split}


def split_half_bias(evaluator: Evaluator) -> Found:
    """N real samples against N others of the same split: what sampling alone costs.

    N is what the protocol asks of a generator, or half of the split where there are fewer.
    """
    settings, reals = evaluator.settings, evaluator.reals
    split, count = _halves(evaluator)
    if not count:
        return "real_halves", {}, {}
    there = reals.facts[split]["count"]
    whole = evaluator.reference.train is not None
    seen = reals.features(split, there if whole else 2 * count)
    real = shuffled(seen.rows(slice(count, 2 * count)))
    reference = Reference(real, source=evaluator.source)
    scores = score_features(_first(evaluator, seen, split, count), reference, settings)
    counts = {"n_real": count, "n_fake": count}
    data = {"split": split, "data": reals.digest(split), "floor": split}
    return "real_halves", scores, counts | data


def _others(evaluator: Evaluator) -> tuple[str, int]:
    """The split that stands for generated samples, and how many; 0 where too few are there."""
    split = "test" if evaluator.settings.split == "train" else "train"
    there = evaluator.reals.count(split, None, "the floor's split")
    count = min(there, evaluator.settings.n_fake or there)
    return split, count if count >= _least(evaluator) else 0


def _halves(evaluator: Evaluator) -> tuple[str, int]:
    """The largest split, and how many of it stand on either side; 0 where too few are there."""
    facts = evaluator.reals.facts
    split = max(sorted(facts), key=lambda name: facts[name]["count"])
    half = facts[split]["count"] // 2
    count = min(half, evaluator.settings.n_fake or half)
    return split, count if count >= _least(evaluator) else 0


def _least(evaluator: Evaluator) -> int:
    """Samples that every measure can work on."""
    return max(measure.least for measure in evaluator.settings.metrics.values())


def _first(evaluator: Evaluator, seen: Features, split: str, count: int) -> Features:
    images = evaluator.reals.images(split, min(count, evaluator.settings.n_images))
    return replace(seen.rows(slice(count)), images=images)


def baseline_folder(row: Row) -> str:
    """Under which name the floors of a row's protocol and data set lie."""
    protocol = {k: v for k, v in row.protocol.items() if k not in (*OWN_CHOICES, "chosen")}
    return f"real-{short_hash({'dataset': row.dataset, **protocol})}"
