"""Maps of u against F^-1: whatever rearranges u is as good, what moves the places is not."""

import numpy as np
import pytest
from scipy.special import ndtri

from bench import divergences as d

MIXTURE = d.Mixture([0.5, 0.3, 0.2], [-3.0, 0.0, 3.0], [0.5, 0.5, 0.5])
N = 3000


def quantile(u):
    return d.mixture_quantile(MIXTURE, u)


@pytest.mark.parametrize("inverse", [ndtri, quantile, lambda u: -np.log1p(-u)])
@pytest.mark.parametrize(
    "rearranged",
    [
        lambda u: u,
        lambda u: 1 - u,
        lambda u: (u + 1 / 3) % 1,
        lambda u: 1 - np.abs(2 * u - 1),  # a tent: two to one
        lambda u: 2 * u % 1,
    ],
)
def test_what_rearranges_the_uniform_distribution_scores_nothing(inverse, rearranged):
    """To a level either way: the mean of what F^-1 rises by between neighbouring levels."""
    gap = d.map_gap(lambda u: inverse(rearranged(u)), inverse, N)
    lowest, highest = inverse(np.array([0.5, N - 0.5]) / N)
    assert 0 <= gap.mean <= (highest - lowest) / N


def test_permuted_levels_are_exactly_as_good():
    for map_of_u in (quantile, lambda u: quantile(1 - u), lambda u: quantile((u + 1 / 3) % 1)):
        assert d.map_gap(map_of_u, quantile, N) == pytest.approx((0, 0), abs=1e-10)


@pytest.mark.parametrize("delta", [0.25, -1.5])
@pytest.mark.parametrize("turned", [False, True])
def test_a_moved_map_is_off_by_how_far_it_is_moved(delta, turned):
    gap = d.map_gap(lambda u: quantile(1 - u if turned else u) + delta, quantile, N)
    assert gap == pytest.approx((abs(delta), abs(delta)), abs=1e-10)


def test_a_scaled_normal_is_off_by_the_mean_of_its_modulus():
    """W_1(N(0, 4), N(0, 1)) = E|Z| = sqrt(2 / pi); the largest gap is that of the last level."""
    gap = d.map_gap(lambda u: 2 * ndtri(u), ndtri, 100_000)
    assert gap.mean == pytest.approx(np.sqrt(2 / np.pi), abs=1e-4)
    assert gap.largest == pytest.approx(ndtri(1 - 0.5 / 100_000), abs=1e-9)


def test_a_dropped_mode_costs_what_its_mass_has_to_travel():
    """A coin's two sides at 0 and 1 against one side alone: half of the mass, one unit far."""
    gap = d.map_gap(np.zeros_like, lambda u: (u > 0.5).astype(float), 1000)
    assert gap == pytest.approx((0.5, 1.0))


def test_samples_in_any_order_and_a_column_of_them():
    samples = np.array([[0.9], [0.1], [0.5]])
    assert d.sample_gap(samples, lambda u: u) == pytest.approx(
        (((1 / 6 - 0.1) + 0 + (0.9 - 5 / 6)) / 3, 0.9 - 5 / 6)
    )
    assert d.sample_gap(samples[::-1, 0], lambda u: u) == d.sample_gap(samples, lambda u: u)


def test_the_mean_gap_is_the_wasserstein_distance_on_the_line():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.3, 1.2, size=N)
    fine = d.Measure.of(ndtri((np.arange(20 * N) + 0.5) / (20 * N))[:, None])
    exact = d.wasserstein_line(d.Measure.of(drawn[:, None]), fine, 1)
    assert d.sample_gap(drawn, ndtri).mean == pytest.approx(exact, abs=2e-3)


def test_quantiles_of_one_gaussian_are_known():
    levels = np.array([1e-12, 0.025, 0.5, 0.975, 1 - 1e-12])
    one = d.Mixture([1.0], [2.0], [3.0])
    np.testing.assert_allclose(
        d.mixture_quantile(one, levels), 2 + 3 * ndtri(levels), rtol=1e-12, atol=1e-14
    )


def test_quantiles_undo_the_distribution_function():
    levels = np.linspace(0.001, 0.999, 97)
    np.testing.assert_allclose(d.mixture_cumulative(MIXTURE, quantile(levels)), levels, atol=1e-14)
    two = d.Mixture([0.5, 0.5], [-1.0, 1.0], [0.5, 0.5])
    assert d.mixture_quantile(two, np.array([0.5])) == pytest.approx(0, abs=1e-12)
    assert (np.diff(quantile(levels)) > 0).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: d.map_gap(ndtri, ndtri, 0), "0 levels"),
        (lambda: d.map_gap(lambda u: u[:, None], ndtri, 5), r"learned map .* found \(5, 1\)"),
        (lambda: d.map_gap(lambda u: u / 0 * 0, ndtri, 5), "learned map must give a finite"),
        (lambda: d.sample_gap(np.zeros(0), ndtri), "one at least"),
        (lambda: d.sample_gap(np.zeros((3, 2)), ndtri), r"found \(3, 2\)"),
        (lambda: d.sample_gap(np.array([0.0, np.nan]), ndtri), "NaN or infinity"),
        (lambda: d.sample_gap(np.zeros(3), lambda u: u[:2]), "quantile must give"),
        (lambda: d.mixture_quantile(MIXTURE, np.array([0.0, 0.5])), "both excluded"),
        (lambda: d.mixture_quantile(MIXTURE, np.array([np.nan])), "both excluded"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_no_map_or_no_sample_is_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
