import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.prd import Curve, curve, f_beta, histograms, prd_curve, summary

CLUSTERING = {"n_init": 3, "batch_size": 100}


def blobs(rng, centres, count):
    """As many points around each centre, far apart, in an order without meaning."""
    points = np.repeat(centres, count // len(centres), axis=0)
    return rng.permutation(points + 0.01 * rng.normal(size=points.shape))


def test_equal_histograms():
    """Precision min(lambda, 1) and recall min(1, 1 / lambda), both 1 at 45 degrees."""
    found = curve([0.2, 0.8], [0.2, 0.8], angles=5)
    tangent = np.tan(np.pi / 8)
    assert found.precision == pytest.approx([0, tangent, 1, 1, 1], abs=1e-9)
    assert found.recall == pytest.approx([1, 1, 1, tangent, 0], abs=1e-9)
    assert summary(found) == pytest.approx({"prd_f8": 1, "prd_f1_8": 1})


def test_rounding_does_not_exceed_one():
    shares = np.array([8, 7, 7, 7, 1]) / 30  # their sum is 1 + 2.2e-16
    assert curve(shares, shares, angles=11).precision.max() == 1


def test_disjoint_histograms_have_neither():
    found = curve([1, 0], [0, 1], angles=1001)
    assert not found.precision.any() and not found.recall.any()
    assert summary(found) == {"prd_f8": 0, "prd_f1_8": 0}


def test_a_dropped_mode_costs_recall():
    """P = (1/2, 1/2), Q = (1, 0): alpha = min(lambda / 2, 1), beta = min(1/2, 1 / lambda).

    The corner has precision 1 and recall 1/2: F_8 = 65 / 2 / 64.5, F_1/8 = 65 / 2 / 33.
    """
    found = curve([0.5, 0.5], [1, 0], angles=20_001)
    slopes = np.tan(np.linspace(0, np.pi / 2, 20_001))[1:-1]
    assert found.precision[1:-1] == pytest.approx(np.minimum(slopes / 2, 1), abs=1e-6)
    assert found.recall[1:-1] == pytest.approx(np.minimum(0.5, 1 / slopes), abs=1e-6)
    assert summary(found) == pytest.approx({"prd_f8": 65 / 129, "prd_f1_8": 65 / 66}, abs=3e-4)


@pytest.mark.parametrize(
    ("fake", "real", "middle", "last_precision", "second_recall"),
    [
        ([0.5, 0.5], [1, 0], (0.5, 0.5), 0.5, 1),
        ([1, 0], [0.5, 0.5], (0.5, 0.5), 1, 0.5),
        ([1, 0], [1, 0], (1, 1), 1, 1),
    ],
)
def test_has_the_values_of_compare_gans_tests(fake, real, middle, last_precision, second_recall):
    """compare_gan, prd_score_test.py, 11 angles."""
    precision, recall = curve(real, fake, angles=11)
    assert (precision[5], recall[5]) == pytest.approx(middle)
    assert precision[10] == pytest.approx(last_precision)
    assert recall[1] == pytest.approx(second_recall)


@pytest.mark.parametrize(
    ("beta", "expected"),
    [
        (1, [1, 0, 0, 0, 1 / 2, 2 / 3, 2 / 3]),
        (2, [1, 0, 0, 0, 1 / 2, 5 / 9, 5 / 6]),
        (1 / 2, [1, 0, 0, 0, 1 / 2, 5 / 6, 5 / 9]),
    ],
)
def test_f_scores_of_compare_gans_tests(beta, expected):
    precision, recall = [1, 1, 0, 0, 0.5, 1, 0.5], [1, 0, 1, 0, 0.5, 0.5, 1]
    found = [
        f_beta(Curve(np.array([p]), np.array([r])), beta=beta)
        for p, r in zip(precision, recall, strict=True)
    ]
    assert found == pytest.approx(expected)
    assert f_beta(Curve(np.array([0.5, 1, 0]), np.array([0.5, 0.5, 0])), beta=1) == 2 / 3


SHARES = st.lists(st.integers(0, 20), min_size=4, max_size=4).filter(any)


@given(SHARES, SHARES, st.integers(3, 40))
def test_swapped_histograms_swap_precision_and_recall(first, second, half):
    p, q = (np.array(counts) / sum(counts) for counts in (first, second))
    angles = 2 * half + 1
    found, swapped = curve(p, q, angles=angles), curve(q, p, angles=angles)
    assert swapped.precision[::-1] == pytest.approx(found.recall)
    assert summary(swapped)["prd_f8"] == pytest.approx(summary(found)["prd_f1_8"])
    # At 45 degrees both are 1 less the total variation.
    assert found.precision[half] == pytest.approx(1 - np.abs(p - q).sum() / 2)


def test_histograms_of_separate_clusters_are_their_shares():
    rng = np.random.default_rng(0)
    centres = 10 * np.eye(4)
    real, fake = blobs(rng, centres, 400), blobs(rng, centres[[0, 0, 0, 1]], 400)
    shares = histograms(real, fake, clusters=4, seed=0, **CLUSTERING)
    assert sorted(zip(*shares, strict=True)) == [
        (1 / 4, 0),
        (1 / 4, 0),
        (1 / 4, 1 / 4),
        (1 / 4, 3 / 4),
    ]


def test_dropped_modes_lower_f8_and_strange_ones_f1_8():
    """Half of the four modes: recall 1/2 at precision 1, and the reverse when swapped."""
    rng = np.random.default_rng(0)
    centres = 10 * np.eye(4)
    every, half = blobs(rng, centres, 400), blobs(rng, centres[:2], 400)
    arguments = {"clusters": 4, "angles": 1001, "seeds": range(3), **CLUSTERING}
    dropped = summary(prd_curve(every, half, **arguments))
    strange = summary(prd_curve(half, every, **arguments))
    assert dropped == pytest.approx({"prd_f8": 65 / 129, "prd_f1_8": 65 / 66}, abs=1e-3)
    assert strange == pytest.approx({"prd_f8": 65 / 66, "prd_f1_8": 65 / 129}, abs=1e-3)


def test_same_distribution_scores_near_one_and_repeats_under_its_seeds():
    """Shares of 2 x 2,000 samples in 20 clusters differ by 1 / sqrt(1000) of themselves or so."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 2000, 16)).astype(np.float32)
    arguments = {"clusters": 20, "angles": 101, **CLUSTERING}
    first = prd_curve(real, fake, seeds=[0, 1], **arguments)
    again = prd_curve(real, fake, seeds=[0, 1], **arguments)
    assert np.array_equal(first, again)
    single = [prd_curve(real, fake, seeds=[seed], **arguments) for seed in (0, 1)]
    assert not np.array_equal(*single)
    assert np.asarray(first) == pytest.approx(np.mean(single, axis=0))
    assert all(0.9 < score < 1 for score in summary(first).values())


def test_a_collapsed_generator():
    """All in one cluster of reals: precision 1, recall the cluster's share or less."""
    real = blobs(np.random.default_rng(0), 10 * np.eye(4), 400)
    fake = np.repeat(real[:1], 400, axis=0)
    found = prd_curve(real, fake, clusters=4, angles=1001, seeds=[0], **CLUSTERING)
    assert found.precision.max() == pytest.approx(1)
    assert found.recall.max() == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.zeros((30, 2)), np.zeros((31, 2)), "as many real as generated"),
        (np.zeros((30, 2)), np.zeros((30, 3)), "found"),
        (np.zeros((19, 2)), np.zeros((19, 2)), "20 at least, found 19"),
        (np.zeros((30, 2)), np.full((30, 2), np.nan), "NaN"),
    ],
)
def test_refuses_features(real, fake, message):
    with pytest.raises(ValueError, match=message):
        histograms(real, fake, clusters=20, seed=0, **CLUSTERING)


@pytest.mark.parametrize("bad", [[0.5, 0.4], [1.5, -0.5], [np.nan, 1]])
def test_refuses_what_are_no_shares(bad):
    with pytest.raises(ValueError, match="shares"):
        curve([0.5, 0.5], bad, angles=11)
