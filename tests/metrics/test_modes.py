import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from bench.metrics.modes import (
    class_reverse_kl,
    classes_covered,
    high_quality,
    modes_covered,
)

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def test_counts_centres_and_shares_by_hand():
    """On the sphere counts as within; [5, 5] belongs to nobody; the third centre has no sample."""
    samples = np.array([[3.0, 0.0], [0.0, 1.0], [10.0, 2.0], [5.0, 5.0]])
    assert modes_covered(samples, CENTRES, radius=3, min_samples=1) == 2
    assert modes_covered(samples, CENTRES, radius=3, min_samples=2) == 1
    assert modes_covered(samples, CENTRES, radius=3, min_samples=3) == 0
    assert high_quality(samples, CENTRES, radius=3) == 3 / 4
    assert high_quality(samples, CENTRES, radius=1.5) == 1 / 4


def test_a_sample_covers_only_its_nearest_mode():
    samples = np.array([[4.0, 0.0]])
    assert modes_covered(samples, CENTRES, radius=100, min_samples=1) == 1
    assert modes_covered(CENTRES, CENTRES, radius=100, min_samples=1) == 3


def test_share_of_a_gaussian_within_three_deviations_is_rayleighs():
    """P(|x| <= 3 sigma) = 1 - exp(-9/2) in the plane; 6 standard errors of 100,000 samples."""
    samples = np.random.default_rng(0).normal(size=(100_000, 2))
    expected = 1 - np.exp(-4.5)
    error = np.sqrt(expected * (1 - expected) / len(samples))
    assert high_quality(samples, CENTRES[:1], radius=3) == pytest.approx(expected, abs=6 * error)


@pytest.mark.parametrize("bad", [np.zeros((0, 2)), np.full((3, 2), np.nan), np.zeros(2)])
def test_refuses_what_are_no_points(bad):
    with pytest.raises(ValueError, match="finite points"):
        high_quality(bad, CENTRES, radius=1)


def test_refuses_to_cover_modes_with_no_sample():
    with pytest.raises(ValueError, match="min_samples"):
        modes_covered(CENTRES, CENTRES, radius=1, min_samples=0)


def logits_of(classes, n_classes):
    """Logits whose largest is the class, by different margins."""
    noise = np.random.default_rng(0).normal(size=(len(classes), n_classes))
    noise[np.arange(len(classes)), classes] = noise.max(1) + 0.1
    return noise


@pytest.mark.parametrize(("kept", "of"), [(1, 10), (3, 10), (10, 10), (250, 1000)])
def test_m_of_k_classes_equally_often(kept, of):
    """log(K / m); what the other logits are does not matter."""
    logits = logits_of(np.arange(5 * kept) % kept, of)
    assert classes_covered(logits) == kept
    assert class_reverse_kl(logits, np.full(of, 1 / of)) == pytest.approx(np.log(of / kept))


def test_reverse_kl_by_hand_is_in_nats_and_of_q_to_p():
    """q = (3/4, 1/4, 0), p = (1/2, 1/3, 1/6): 3/4 log(3/2) + 1/4 log(3/4)."""
    logits = logits_of([0, 0, 1, 0], 3)
    found = class_reverse_kl(logits, [1 / 2, 1 / 3, 1 / 6])
    assert found == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.75))
    assert classes_covered(logits) == 2


@given(st.lists(st.integers(0, 4), min_size=1, max_size=50))
def test_reverse_kl_equals_scipys_and_is_zero_against_its_own_shares(classes):
    logits, shares = logits_of(classes, 5), np.bincount(classes, minlength=5) / len(classes)
    p = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
    assert class_reverse_kl(logits, p) == pytest.approx(entropy(shares, p))
    assert class_reverse_kl(logits, shares) == 0
    assert classes_covered(logits) == len(set(classes))


def test_reverse_kl_of_few_samples_has_its_known_bias():
    """(K - 1) / 2N of a fair sample: Miller 1955."""
    rng = np.random.default_rng(0)
    found = [class_reverse_kl(rng.normal(size=(500, 10)), np.full(10, 0.1)) for _ in range(200)]
    assert np.mean(found) == pytest.approx(9 / 1000, rel=0.1)  # 3 standard errors


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([0.5, 0.4, 0.2], "sum 1"),
        ([1.5, -0.25, -0.25], "at least 0"),
        ([np.nan, 0.5, 0.5], "sum nan"),
        ([0.5, 0.5], "3 numbers"),
        ([0.5, 0, 0.5], r"\[1\] occur, but have probability 0"),
    ],
)
def test_reverse_kl_refuses_probabilities(probabilities, message):
    with pytest.raises(ValueError, match=message):
        class_reverse_kl(logits_of([0, 1, 1], 3), probabilities)


@pytest.mark.parametrize(
    "bad", [np.zeros((0, 3)), np.zeros((4, 1)), np.zeros(3), np.full((2, 3), np.nan)]
)
def test_refuses_what_are_no_logits(bad):
    with pytest.raises(ValueError, match="logits"):
        classes_covered(bad)
