import numpy as np
import pytest
from scipy.stats import kstest

from bench.core.errors import UserError
from bench.data.densities import GaussianMixture, ParallelLines, SwissRoll, grid, ring
from bench.data.points import Points

COUNT = 40_000


def rng():
    return np.random.Generator(np.random.PCG64(0))


def mixture(centres, sigma, weights=None):
    return GaussianMixture(centres, sigma=sigma, weights=weights, quality_sigmas=3.0)


def source(distribution, *, seed=0, shape=(2,), counts=None):
    counts = counts or {"train": 300, "validation": 200, "test": 200}
    return Points(
        name="ring", shape=list(shape), distribution=distribution, counts=counts, seed=seed
    )


def test_a_ring_has_equal_steps():
    centres = ring(8, 2.0)
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 2.0)
    np.testing.assert_allclose(centres[0], [2, 0])
    np.testing.assert_allclose(centres[2], [0, 2], atol=1e-12)
    steps = np.linalg.norm(np.roll(centres, -1, axis=0) - centres, axis=1)
    np.testing.assert_allclose(steps, 2 * 2 * np.sin(np.pi / 8))


def test_a_grid_is_every_pair_of_even_coordinates():
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(centre) for centre in grid(5, 2.0)} == expected
    assert len(grid(5, 2.0)) == 25


@pytest.mark.parametrize(
    ("distribution", "mean", "covariance"),
    [
        # sum over the circle: radius^2 / 2 a coordinate
        (mixture(ring(8, 2.0), 0.02), [0, 0], [[2.0004, 0], [0, 2.0004]]),
        # mean of 16, 4, 0, 4, 16
        (mixture(grid(5, 2.0), 0.05), [0, 0], [[8.0025, 0], [0, 8.0025]]),
        (mixture([[-2.0, 0.0], [2.0, 0.0]], 0.5), [0, 0], [[4.25, 0], [0, 0.25]]),
        # 0.25 + 0.7 * 9 - 0.81
        (mixture([[-3.0], [0.0], [3.0]], 0.5, [0.5, 0.3, 0.2]), [-0.9], [[5.74]]),
        # theta^2 / 4 and 1 / 12
        (ParallelLines([0.0, 1.0]), [0.5, 0.5], [[0.25, 0], [0, 1 / 12]]),
    ],
)
def test_mean_and_covariance_are_the_closed_forms(distribution, mean, covariance):
    samples, _ = distribution.sample(COUNT, rng())
    covariance = np.array(covariance)
    deviation = np.sqrt(np.diag(covariance))
    error = 5 / np.sqrt(COUNT)  # five standard errors of a mean; fourth moments here are below 3
    np.testing.assert_allclose(samples.mean(0), mean, atol=error * deviation.max())
    scale = np.sqrt(2) * np.outer(deviation, deviation)
    found = np.cov(samples.T).reshape(covariance.shape)
    assert (np.abs(found - covariance) < error * scale).all()


def test_modes_are_the_centres_and_hold_the_right_share():
    """P(|x| < 3 sigma) in the plane: 1 - exp(-9/2) = 0.98889."""
    distribution = mixture(ring(8, 2.0), 0.02)
    samples, labels = distribution.sample(COUNT, rng())
    modes = distribution.modes
    assert modes.radius == pytest.approx(0.06)
    distances = np.linalg.norm(samples[:, None] - modes.centres, axis=2)
    np.testing.assert_array_equal(distances.argmin(1), labels)
    good = (distances.min(1) < modes.radius).mean()
    assert good == pytest.approx(1 - np.exp(-4.5), abs=5 * np.sqrt(0.0111 * 0.9889 / COUNT))
    assert np.bincount(labels) == pytest.approx([COUNT / 8] * 8, abs=5 * np.sqrt(COUNT / 8))


def test_weights_are_shares():
    _, labels = mixture([[-3.0], [0.0], [3.0]], 0.5, [0.5, 0.3, 0.2]).sample(COUNT, rng())
    shares = np.bincount(labels) / COUNT
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=5 * 0.5 / np.sqrt(COUNT))


@pytest.mark.parametrize("weights", [[0.5, 0.4], [0.5, 0.3, 0.3], [1.5, -0.5, 0.0]])
def test_weights_that_make_no_density_are_one_sentence(weights):
    with pytest.raises(UserError, match="weights"):
        mixture([[-3.0], [0.0], [3.0]], 0.5, weights).sample(1, rng())


def test_a_sigma_that_makes_no_density_is_one_sentence():
    with pytest.raises(UserError, match="sigma -1"):
        mixture([[0.0]], -1.0).sample(1, rng())


def test_the_roll_without_noise_is_a_spiral():
    """Radius t and angle t modulo 2 pi, t uniform in [1.5 pi, 4.5 pi]."""
    samples, labels = SwissRoll(noise=0.0, scale=7.5).sample(COUNT, rng())
    assert labels is None and SwissRoll.modes is None
    turns = 7.5 * np.linalg.norm(samples, axis=1)
    np.testing.assert_allclose(7.5 * samples[:, 0], turns * np.cos(turns), atol=1e-9)
    np.testing.assert_allclose(7.5 * samples[:, 1], turns * np.sin(turns), atol=1e-9)
    assert kstest(turns, "uniform", args=(1.5 * np.pi, 3 * np.pi)).pvalue > 1e-4


def test_noise_of_the_roll_is_scaled_with_it():
    clean, _ = SwissRoll(noise=0.0, scale=7.5).sample(COUNT, rng())
    noisy, _ = SwissRoll(noise=0.25, scale=7.5).sample(COUNT, rng())
    assert (noisy - clean).std() == pytest.approx(0.25 / 7.5, rel=0.02)


def test_lines_are_lines():
    samples, labels = ParallelLines([0.0, 1.0]).sample(COUNT, rng())
    np.testing.assert_array_equal(samples[:, 0], labels)
    assert kstest(samples[:, 1], "uniform").pvalue > 1e-4
    single, _ = ParallelLines([0.3]).sample(10, rng())
    assert (single[:, 0] == 0.3).all()


def test_splits_come_from_streams_of_their_own():
    splits = source(mixture(ring(8, 2.0), 0.02)).splits()
    assert {split: content.samples.dtype.name for split, content in splits.items()} == {
        "train": "float32",
        "validation": "float32",
        "test": "float32",
    }
    assert not np.isin(splits["train"].samples, splits["test"].samples).any()
    assert not np.isin(splits["validation"].samples, splits["test"].samples).any()


def test_a_split_depends_on_the_data_seed_and_its_own_count_alone():
    distribution = mixture(ring(8, 2.0), 0.02)
    test = source(distribution).splits()["test"].samples
    fewer = {"train": 10, "test": 200}
    np.testing.assert_array_equal(source(distribution, counts=fewer).splits()["test"].samples, test)
    assert not np.isin(source(distribution, seed=1).splits()["test"].samples, test).any()


def test_the_source_hands_on_the_modes():
    assert source(mixture(ring(8, 2.0), 0.02)).modes.centres.shape == (8, 2)
    assert source(ParallelLines([0.0])).modes is None


def test_another_dimension_is_one_sentence():
    with pytest.raises(UserError, match=r"set dataset.shape=\[2\]|shape \[2\]"):
        source(mixture(ring(8, 2.0), 0.02), shape=(1,)).splits()
