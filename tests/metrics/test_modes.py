import numpy as np
import pytest

from bench.metrics.modes import high_quality, modes_covered

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
