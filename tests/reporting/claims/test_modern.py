"""Assess M1 to M6 by rows of known effects, and count verdicts where nothing is there to find."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from made import claim_outcome, grid, seeds

from bench.reporting.analysis.factorial import Factorial
from bench.reporting.claims import list_claims
from bench.reporting.claims.claim import NOT, OPEN, PARTLY, REPRODUCED
from bench.reporting.claims.modern import thresholds

LOSSES = ("nonsaturating", "hinge", "rpgan")
FACTORS = {
    "loss": LOSSES,
    "penalty": ("none", "r1_r2"),
    "normalisation": ("none", "spectral"),
}
SIMULATIONS = 400


def noise(number, sd=0.2):
    """Return cell, seed -> a normal number, the same for the same arguments."""

    def of(cell, seed, kind=""):
        key = [number, seed, *map(ord, repr(sorted(cell.items())) + kind)]
        return np.random.Generator(np.random.PCG64(key)).normal(0, sd)

    return of


def scores(effect, number=0, sd=0.2):
    """Return cell, seed -> score: exp(effect(cell) + noise)."""
    drawn = noise(number, sd)
    return lambda cell, seed: float(np.exp(2 + effect(cell) + drawn(cell, seed)))


def verdict(name, effect, factors=FACTORS, number=0, sd=0.2, raw=None, **fields):
    stage = grid(factors, scores(effect, number, sd), raw=raw, **fields)
    return claim_outcome(name, stage).verdict


def by_loss(where):
    """Return an effect by which losses are a factor e apart in the cells of `where`."""
    return lambda cell: LOSSES.index(cell["loss"]) * where(cell)


def rate(name, wanted, effect, factors):
    """Return in how many of SIMULATIONS studies with other noise the verdict is one of these."""
    generator = np.random.Generator(np.random.PCG64(0))
    cells = [dict(zip(factors, cell, strict=True)) for cell in product(*factors.values())]
    means = np.reshape([effect(cell) for cell in cells], [len(v) for v in factors.values()])
    claim = next(one for one in list_claims() if one.name == name)
    texts = {name: tuple(map(str, levels)) for name, levels in factors.items()}
    group, found = SimpleNamespace(dataset="digits", first="frechet"), 0
    for _ in range(SIMULATIONS):
        logs = means[..., None] + generator.normal(0, 0.2, (*means.shape, 10))
        simulated = Factorial(group, texts, tuple(range(10)), (), logs, 0)
        evidence = SimpleNamespace(factorials=lambda _, simulated=simulated: [simulated])
        found += claim.assess(evidence).verdict in wanted
    return found / SIMULATIONS


def test_m1():
    without = by_loss(lambda cell: cell["penalty"] == "none")
    everywhere, nowhere = by_loss(lambda cell: True), (lambda cell: 0.0)
    with_it = by_loss(lambda cell: cell["penalty"] == "r1_r2")
    quiet = {"sd": 0.1}
    assert verdict("M1", without, **quiet) == REPRODUCED
    assert verdict("M1", everywhere, **quiet) == PARTLY  # they differ, and still do
    assert verdict("M1", nowhere, **quiet) == PARTLY  # equivalent, and were before
    assert verdict("M1", with_it, **quiet) == NOT
    assert verdict("M1", nowhere, sd=2.0) == OPEN  # not to differ is not to be equivalent


def test_m1_looks_at_cells_without_normalisation():
    spectral = by_loss(lambda cell: cell["normalisation"] == "spectral" and 3)
    assert verdict("M1", spectral, sd=0.1) == PARTLY
    assert verdict("M2", spectral, sd=0.1) == NOT


def test_m2():
    def helping(*losses):
        return lambda c: -1.0 * (c["normalisation"] == "spectral" and c["loss"] in losses)

    assert verdict("M2", helping(*LOSSES)) == REPRODUCED
    assert verdict("M2", helping("hinge")) == PARTLY
    assert verdict("M2", lambda c: 1.0 * (c["normalisation"] == "spectral")) == NOT
    result = claim_outcome("M2", grid(FACTORS, scores(helping("hinge"), sd=0.01)))
    assert "hinge 0.37 [0.36, 0.38]" in result.explanation  # 1 / e


IMAGES = {"train_images": (100, 300, 1000), "augmentation": ("none", "diffaugment")}


def images(gains):
    """Return an effect: the logarithm that augmentation adds at each number of images."""
    return lambda c: gains.get(str(c["train_images"]), 0.0) * (c["augmentation"] != "none")


def test_m3():
    assert verdict("M3", images({"100": -1.0, "300": -0.5}), IMAGES) == REPRODUCED
    assert verdict("M3", images({"100": -1.0, "300": -1.0, "1000": -1.0}), IMAGES) == PARTLY
    assert verdict("M3", images({"100": 0.2, "1000": -2.0}), IMAGES) == NOT


def raw_score(factor):
    """Return cell, seed -> score of the last weights: so many times that of the average."""
    drawn = scores(lambda cell: np.log(factor))
    return lambda cell, seed: drawn(cell, seed)


def test_m4():
    losses = by_loss(lambda cell: 0.1)
    assert verdict("M4", losses, raw=raw_score(3.0)) == REPRODUCED
    assert verdict("M4", by_loss(lambda cell: 2.0), raw=raw_score(1.1)) == NOT
    assert verdict("M4", losses) == OPEN  # no row of the last weights


NETWORKS = {
    "network": ("infogan", "r3gan"),
    "loss": ("nonsaturating", "rpgan"),
    "penalty": ("none", "r1_r2"),
}


def test_m5():
    def effect(by_network, by_loss):
        return lambda c: -by_network * (c["network"] == "r3gan") - by_loss * (c["loss"] == "rpgan")

    assert verdict("M5", effect(1.0, 0.2), NETWORKS) == REPRODUCED
    assert verdict("M5", effect(0.2, 1.0), NETWORKS) == NOT
    assert verdict("M5", effect(-1.0, 0.0), NETWORKS) == NOT  # worse is no gain
    assert verdict("M5", effect(0.5, 0.5), NETWORKS, sd=1.0) == OPEN


def order(dataset, places):
    """Return ten seeds of six methods at these places."""
    values = {f"m{i}": np.exp(place + 0.1 * np.arange(10) / 10) for i, place in enumerate(places)}
    return seeds({name: list(v) for name, v in values.items()}, dataset=dataset)


def test_m6():
    digits, up = order("digits", range(6)), range(6)
    assert claim_outcome("M6", digits + order("mnist", up)).verdict == REPRODUCED
    assert claim_outcome("M6", digits + order("mnist", up[::-1])).verdict == NOT
    swapped = [1, 0, 3, 2, 5, 4]  # 12 pairs of 15 agree: tau (12 - 3) / 15
    result = claim_outcome("M6", digits + order("mnist", swapped))
    assert "0.60 [0.60, 0.60]" in result.explanation and result.verdict == REPRODUCED
    assert claim_outcome("M6", digits).verdict == OPEN
    some = [2, 1, 0, 3, 5, 4]  # 11 pairs agree: 7 / 15
    assert claim_outcome("M6", digits + order("mnist", some)).verdict == PARTLY


def test_m6_compares_the_cells_of_grids_too():
    stages = [grid(FACTORS, scores(by_loss(lambda c: 2.0), n), dataset=d)
              for n, d in enumerate(("digits", "mnist"))]  # fmt: skip
    result = claim_outcome("M6", *stages)
    assert "orders of 12 methods on digits and on mnist" in result.explanation


def test_no_claim_of_the_study_is_judged_by_the_cells_of_a_grid():
    stage = grid(FACTORS, scores(by_loss(lambda c: 1.0)))
    for name in (f"C{n}" for n in range(1, 13)):
        assert claim_outcome(name, stage).verdict == OPEN


def test_fewer_seeds_than_the_threshold_judge_nothing():
    few = thresholds()["seeds"] - 1
    assert verdict("M2", lambda c: -9.0 * (c["normalisation"] == "spectral"), n=few) == OPEN


@pytest.mark.parametrize(
    ("name", "factors", "effect", "power"),
    [
        ("M1", FACTORS, by_loss(lambda c: c["penalty"] == "none"), 0.6),
        ("M2", FACTORS, lambda c: -0.5 * (c["normalisation"] == "spectral"), 0.9),
        ("M3", IMAGES, images({"100": -0.8}), 0.9),
        ("M5", NETWORKS, lambda c: -0.5 * (c["network"] == "r3gan"), 0.9),
    ],
)
def test_a_rule_passes_under_its_claim_and_fails_under_none(name, factors, effect, power):
    """Of 400 studies with a spread of 0.2: so many confirm the claim, and 5 % a null at most."""
    assert rate(name, (REPRODUCED,), effect, factors) >= power
    assert rate(name, (REPRODUCED,), lambda cell: 0.0, factors) <= 0.05
