"""Draw docs/images/mode_dropping.png: how each score reacts to a generator that drops modes.

The "generator" is a part of the embedded digits, the reference the rest; it keeps fewer and fewer
classes, or fewer and fewer slices within every class, always 180 samples. Run by hand:
python docs/make_mode_dropping.py. A test computes the same numbers.
"""

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from bench.config import build
from bench.scoring.features import Features, Reference, extract, iter_batches, sort_canonically
from bench.scoring.score import score_features

SLICES = 5
SAMPLES = 180
SHARES = {  # name -> label, and what the score is divided by
    "recall": ("recall", 1),
    "coverage": ("coverage", 1),
    "inception_score": ("Inception Score formula / 10", 10),
}


def embed_digits() -> tuple[Features, np.ndarray]:
    """Compute digits_convnet features of all 1,797 digits; return them with the classes."""
    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    cfg = build.compose_config(["dataset=digits"])
    cpu = torch.device("cpu")
    extractor = build.build_extractor(cfg)
    features = extract(extractor, iter_batches(images, 500), quantise=True, device=cpu)
    return features, digits.target


def take_rows(features: Features, rows: np.ndarray) -> Features:
    """Return the features of some of the samples."""
    assert features.logits is not None
    return Features(features.features[rows], features.logits[rows])


def score_dropping(features: Features, classes: np.ndarray, kind: str) -> list[dict[str, float]]:
    """Score a generator that has all modes, then fewer and fewer.

    Args:
        features: of all digits.
        classes: of all digits, [N].
        kind: "classes" keeps 10, 8, 6, 4, 2 classes; "within" all classes, but 5, 4, 3, 2, 1
            fifths of each along its first principal component.
    """
    cfg = build.compose_config(["dataset=digits", "score=images", "score.n_fake=180"])
    settings = build.instantiate(cfg.score)
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(classes))
    real = sort_canonically(take_rows(features, order[:897]))
    pool = order[897:]
    scores = []
    for step in range(SLICES):
        if kind == "classes":
            rows = pool[classes[pool] < 10 - 2 * step]
        else:
            rows = np.concatenate(
                [
                    _first_slices(features, pool[classes[pool] == digit], SLICES - step)
                    for digit in range(10)
                ]
            )
        fake = take_rows(features, _sample_evenly(rows, classes, SAMPLES))
        scores.append(score_features(fake, Reference(real), settings))
    return scores


def _first_slices(features: Features, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` fifths of samples along their first principal component."""
    centred = features.features[rows] - features.features[rows].mean(0)
    axis = np.linalg.svd(centred.astype(np.float64), full_matrices=False)[2][0]
    axis = axis * np.sign(axis[np.abs(axis).argmax()])
    return rows[np.argsort(centred @ axis)[: round(len(rows) * count / SLICES)]]


def _sample_evenly(rows: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """Sample `count` rows, spread evenly over the classes that there are."""
    rng = np.random.Generator(np.random.PCG64(1))
    present = np.unique(classes[rows])
    counts = np.full(len(present), count // len(present))
    counts[: count % len(present)] += 1
    samples = [
        rng.permutation(rows[classes[rows] == c])[:n] for c, n in zip(present, counts, strict=True)
    ]
    return np.concatenate(samples)


def draw(path: Path) -> None:
    """Draw shares above and distance below: classes dropped, modes within classes dropped."""
    from matplotlib.figure import Figure

    features, classes = embed_digits()
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    grid = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=(3, 2))
    ticks = {"classes": ("10", "8", "6", "4", "2"), "within": ("5", "4", "3", "2", "1")}
    titles = {"classes": "classes kept, of 10", "within": "fifths kept of every class"}
    for column, kind in zip(grid.T, titles, strict=True):
        scores = score_dropping(features, classes, kind)
        for name, (label, scale) in SHARES.items():
            column[0].plot([score[name] / scale for score in scores], marker="o", label=label)
        column[1].plot([score["frechet"] for score in scores], marker="s", color="#444444")
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
