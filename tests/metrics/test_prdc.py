import tracemalloc
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree
from scipy.stats import ortho_group

from bench.metrics.prdc import prdc

SETTINGS = {"strict": False, "max_bytes": 2**22}


def column(*values):
    return np.array(values, dtype=float)[:, None]


def by_trees(real, fake, k):
    """The four by SciPy's k-d trees, whose balls are closed."""
    trees = KDTree(real), KDTree(fake)
    # Square roots round: 1 + 1e-12 keeps those on a sphere inside it.
    radii = [tree.query(tree.data, [k + 1])[0][:, 0] * (1 + 1e-12) for tree in trees]
    in_real = trees[1].query_ball_point(real, radii[0])
    in_fake = trees[0].query_ball_point(fake, radii[1])
    return {
        "precision": len(set().union(*in_real)) / len(fake),
        "recall": len(set().union(*in_fake)) / len(real),
        "density": sum(map(len, in_real)) / (k * len(fake)),
        "coverage": sum(map(bool, in_real)) / len(real),
    }


def test_by_hand():
    """Real radii 1, 1, 2; generated radii 5.5, 1, 1: 0.5 lies in two real balls, 6, 7 in none."""
    scores = prdc(column(0, 1, 3), column(0.5, 6, 7), k=1, **SETTINGS)
    assert scores == pytest.approx(
        {"precision": 1 / 3, "recall": 1, "density": 2 / 3, "coverage": 2 / 3}
    )


@pytest.mark.parametrize(
    ("strict", "precision", "density", "coverage"),
    [(False, 2 / 3, 1, 2 / 3), (True, 1 / 3, 1 / 3, 1 / 3)],
)
def test_samples_on_a_sphere(strict, precision, density, coverage):
    """2 lies on the sphere of 1 and inside that of 3, 5 on that of 3, 6 in none."""
    scores = prdc(column(0, 1, 3), column(2, 5, 6), k=1, strict=strict, max_bytes=2**20)
    assert scores["precision"] == pytest.approx(precision)
    assert scores["density"] == pytest.approx(density)
    assert scores["coverage"] == pytest.approx(coverage)


@pytest.mark.parametrize("k", [1, 2])
def test_every_placement_of_three_and_three_points(k):
    """Exhaustive: all 400 with coordinates 0 to 3, repeated points and ties among them."""
    triples = list(combinations_with_replacement(range(4), 3))
    for places in product(triples, repeat=2):
        real, fake = (column(*triple) for triple in places)
        assert prdc(real, fake, k=k, **SETTINGS) == pytest.approx(by_trees(real, fake, k)), places


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_equals_trees_and_swaps_with_its_arguments(seed, k, lattice):
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(30, 3)) * 2, rng.normal(size=(25, 3)) * 2
    if lattice:  # exact ties
        real, fake = real.round(), fake.round()
    scores, swapped = prdc(real, fake, k=k, **SETTINGS), prdc(fake, real, k=k, **SETTINGS)
    assert scores == pytest.approx(by_trees(real, fake, k))
    assert (swapped["precision"], swapped["recall"]) == (scores["recall"], scores["precision"])


@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.booleans())
def test_depends_on_neither_order_nor_rotation(seed, dimensions, strict):
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(30, dimensions)), 0.7 * rng.normal(size=(20, dimensions))
    rotation = ortho_group.rvs(dimensions, random_state=rng)
    scores = prdc(real, fake, k=3, strict=strict, max_bytes=2**22)
    turned = rng.permutation(real) @ rotation, rng.permutation(fake) @ rotation
    assert prdc(*turned, k=3, strict=strict, max_bytes=1000) == scores


def test_copies_count_as_often_as_they_occur():
    """Real 0, 0, 0, 1, 3: radii 0, 0, 0, 1, 3 for k = 2; generated 0, 0, 1, 5: 0, and 1, 1, 5.

    In closed balls: 0 lies in those of 0, 0, 0, 1, 3; 1 in those of 1, 3; 5 in that of 3.
    """
    scores = prdc(column(0, 0, 0, 1, 3), column(0, 0, 1, 5), k=2, **SETTINGS)
    assert scores == {"precision": 1, "recall": 1, "density": (2 * 5 + 2 + 1) / 8, "coverage": 1}
    strict = prdc(column(0, 0, 0, 1, 3), column(0, 0, 1, 5), k=2, strict=True, max_bytes=2**20)
    # 3 alone has 1 and 5 inside; 0 and 1 on its sphere and that of 1 are outside.
    assert strict == {"precision": 2 / 4, "recall": 1, "density": 3 / 8, "coverage": 2 / 5}


def test_a_collapsed_generator_scores_as_its_one_sample():
    """2,000 copies of one of 2,000 reals: in its own and its neighbours' balls, covers those."""
    real = np.random.default_rng(0).normal(size=(2000, 512))
    copies = np.repeat(real[:1], 2000, axis=0)
    scores, single = (
        prdc(real, fake, k=3, strict=False, max_bytes=2**24)
        for fake in (copies, np.repeat(real[:1], 4, axis=0))
    )
    assert scores == single
    assert scores["precision"] == 1
    assert scores["recall"] == 1 / 2000
    assert scores["coverage"] == pytest.approx(scores["density"] * 3 / 2000)


@pytest.mark.parametrize(("strict", "density"), [(False, 4 / 3), (True, 1)])
@pytest.mark.parametrize("offset", [0, 1e6])
def test_equal_sets(strict, density, offset):
    """Each closed ball holds the sample, its k neighbours, and nobody else: (k + 1) / k."""
    features = np.random.default_rng(0).normal(size=(300, 64)) + offset
    scores = prdc(features, features[::-1], k=3, strict=strict, max_bytes=10_000)
    assert scores == {"precision": 1, "recall": 1, "density": density, "coverage": 1}


def test_sets_far_apart():
    features = np.random.default_rng(0).normal(size=(50, 8))
    assert set(prdc(features, features + 1000, k=5, **SETTINGS).values()) == {0}


def test_same_distribution_has_the_published_expectation():
    """Naeem et al., section 3.3: density 1 and coverage 1 - prod (N - i) / (M + N - i)."""
    rng = np.random.default_rng(0)
    n, k, dimensions = 1000, 5, 8
    runs = [
        prdc(*rng.normal(size=(2, n, dimensions)), k=k, strict=False, max_bytes=2**24)
        for _ in range(5)
    ]
    expected = 1 - np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])
    assert np.mean([run["coverage"] for run in runs]) == pytest.approx(expected, abs=0.006)
    assert np.mean([run["density"] for run in runs]) == pytest.approx(1, abs=0.03)


def test_dropped_modes_lower_recall_and_coverage_but_not_precision():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 16)) * 20
    real = np.repeat(centres, 50, axis=0) + rng.normal(size=(500, 16))
    fake = np.tile(centres[:3], (100, 1)) + rng.normal(size=(300, 16))
    scores = prdc(real, fake, k=5, **SETTINGS)
    assert scores["precision"] > 0.9
    assert 0.2 < scores["recall"] <= 0.3 and 0.2 < scores["coverage"] <= 0.3


def test_depends_on_neither_blocks_nor_order():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 200, 32)) + 1e4
    scores = prdc(real, fake, k=5, **SETTINGS)
    assert prdc(real, fake, k=5, strict=False, max_bytes=1) == scores
    assert prdc(rng.permutation(real), rng.permutation(fake), k=5, **SETTINGS) == scores


def test_never_holds_all_distances():
    real, fake = np.random.default_rng(0).normal(size=(2, 3000, 4))
    bound = 2**20
    tracemalloc.start()
    prdc(real, fake, k=5, strict=False, max_bytes=bound)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * bound  # all of them would take 69 of it


@pytest.mark.parametrize("k", [0, 10, 11])
def test_refuses_a_k_without_a_neighbour(k):
    with pytest.raises(ValueError, match=f"found k={k} for 20 real and 10 generated"):
        prdc(np.zeros((20, 2)), np.zeros((10, 2)), k=k, **SETTINGS)


def test_refuses_what_it_cannot_measure():
    good, bad = np.zeros((9, 2)), np.full((9, 2), np.inf)
    with pytest.raises(ValueError, match="NaN or infinity"):
        prdc(good, bad, k=1, **SETTINGS)
    with pytest.raises(ValueError, match="found"):
        prdc(good, np.zeros((9, 3)), k=1, **SETTINGS)
