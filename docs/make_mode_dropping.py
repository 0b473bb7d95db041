"""Draw docs/images/mode_dropping.png: what each score sees of a generator that drops modes.

The "generator" is a part of the embedded digits, the reference the rest; it keeps fewer and fewer
classes, or fewer and fewer slices within every class, always 180 samples. Run by hand:
python docs/make_mode_dropping.py. A test computes the same numbers.
"""

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from bench.config import build
from bench.scoring.features import Features, Reference, batches_of, extract, in_canonical_order
from bench.scoring.score import score_features

SLICES = 5
SAMPLES = 180
SHARES = {  # name -> label, and what the score is divided by
    "recall": ("recall", 1),
    "coverage": ("coverage", 1),
    "inception_score": ("Inception Score formula / 10", 10),
}


def seen_digits() -> tuple[Features, np.ndarray]:
    """All 1,797 digits in digits_convnet features, with their classes."""
    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    cfg = build.compose_config(["dataset=digits"])
    cpu = torch.device("cpu")
    extractor = build.build_extractor(cfg)
    seen = extract(extractor, batches_of(images, 500), quantise=True, device=cpu)
    return seen, digits.target


def part(seen: Features, rows: np.ndarray) -> Features:
    """Some of the samples."""
    assert seen.logits is not None
    return Features(seen.features[rows], seen.logits[rows])


def dropping(seen: Features, classes: np.ndarray, kind: str) -> list[dict[str, float]]:
    """Scores of a generator that keeps all, then less and less.

    Args:
        seen: features of all digits.
        classes: theirs, [N].
        kind: "classes" keeps 10, 8, 6, 4, 2 classes; "within" all classes, but 5, 4, 3, 2, 1
            fifths of each along its first principal component.
    """
    cfg = build.compose_config(["dataset=digits", "score=images", "score.n_fake=180"])
    settings = build.instantiate(cfg.score)
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(classes))
    real = in_canonical_order(part(seen, order[:897]))
    pool = order[897:]
    found = []
    for step in range(SLICES):
        if kind == "classes":
            rows = pool[classes[pool] < 10 - 2 * step]
        else:
            kept = [_slices(seen, pool[classes[pool] == c], SLICES - step) for c in range(10)]
            rows = np.concatenate(kept)
        chosen = _balanced(rows, classes, SAMPLES)
        found.append(score_features(part(seen, chosen), Reference(real), settings))
    return found


def _slices(seen: Features, rows: np.ndarray, kept: int) -> np.ndarray:
    """The first `kept` fifths of some samples along their first principal component."""
    centred = seen.features[rows] - seen.features[rows].mean(0)
    axis = np.linalg.svd(centred.astype(np.float64), full_matrices=False)[2][0]
    axis = axis * np.sign(axis[np.abs(axis).argmax()])
    return rows[np.argsort(centred @ axis)[: round(len(rows) * kept / SLICES)]]


def _balanced(rows: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """`count` rows, spread evenly over the classes that there are."""
    rng = np.random.Generator(np.random.PCG64(1))
    there = np.unique(classes[rows])
    counts = np.full(len(there), count // len(there))
    counts[: count % len(there)] += 1
    picked = [
        rng.permutation(rows[classes[rows] == c])[:n] for c, n in zip(there, counts, strict=True)
    ]
    return np.concatenate(picked)


def draw(path: Path) -> None:
    """Two columns: classes dropped, modes within classes dropped; shares above, distance below."""
    from matplotlib.figure import Figure

    seen, classes = seen_digits()
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    grid = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=(3, 2))
    ticks = {"classes": ("10", "8", "6", "4", "2"), "within": ("5", "4", "3", "2", "1")}
    titles = {"classes": "classes kept, of 10", "within": "fifths kept of every class"}
    for column, kind in zip(grid.T, titles, strict=True):
        scores = dropping(seen, classes, kind)
        for name, (label, scale) in SHARES.items():
            column[0].plot([found[name] / scale for found in scores], marker="o", label=label)
        column[1].plot([found["frechet"] for found in scores], marker="s", color="#444444")
        column[1].set_yscale("log")
        column[1].set_xticks(range(SLICES), ticks[kind])
        column[1].set_xlabel(titles[kind])
        for axes in column:
            axes.spines[["top", "right"]].set_visible(False)
    grid[0, 0].set_ylim(0, 1.05)
    grid[1, 0].set_ylabel("Frechet distance")
    figure.legend(
        *grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False
    )
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    draw(Path(__file__).with_name("images") / "mode_dropping.png")
