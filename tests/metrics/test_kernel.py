import tracemalloc
from functools import partial
from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.core.shims import ensure_torchvision
from bench.metrics import kernel as module
from bench.metrics.kernel import (
    cubic,
    disjoint_blocks,
    gaussian,
    kernel_blocks,
    kernel_distance,
    mmd,
)

SEEDS = st.integers(0, 2**32 - 1)


def column(*values):
    return np.array(values, dtype=float)[:, None]


def clouds(seed, n=40, m=30, width=5):
    rng = np.random.default_rng(seed)
    real = rng.normal(size=(n, width)) @ rng.normal(size=(width, width))
    return real, rng.normal(size=(m, width)) + rng.normal(size=width)


def dense(real, fake, kernel):
    """The textbook formula with whole matrices."""
    n, m = len(real), len(fake)
    within_real, within_fake = kernel(real, real), kernel(fake, fake)
    return (
        (within_real.sum() - np.trace(within_real)) / (n * (n - 1))
        + (within_fake.sum() - np.trace(within_fake)) / (m * (m - 1))
        - 2 * kernel(real, fake).mean()
    )


def test_kernels_by_hand():
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0, 0.0], [-1.0, -1.0]])
    assert cubic(x, y) == pytest.approx(np.array([[2.5**3, (-0.5) ** 3]]))
    expected = np.exp(np.array([[-8 / 2, -13 / 2]])) + np.exp(np.array([[-8 / 18, -13 / 18]]))
    assert gaussian(x, y, bandwidths=[1.0, 3.0]) == pytest.approx(expected, rel=1e-14)


def test_distance_by_hand():
    """Real 0, 1; fake 1, 2, 0: 1 + (27 + 1 + 1) / 3 - 2 (1 + 1 + 1 + 8 + 27 + 1) / 6."""
    real, fake = column(0, 1), column(1, 2, 0)
    assert kernel_distance(real, fake) == pytest.approx(1 + 29 / 3 - 13, rel=1e-12)
    a, b = np.exp(-1 / 4), np.exp(-4 / 4)  # distances 1 and 2 at bandwidth sqrt(2)
    expected = a + (2 * a + b) / 3 - 2 * (a + b + 1 + 1 + a + a) / 6
    assert mmd(real, fake, [2**0.5]) == pytest.approx(expected, rel=1e-12)


def test_population_of_one_feature():
    """Over all tuples of draws the mean is sum_p C(3, p) (E x^p - E y^p)^2, p = 1, 2, 3."""
    real, fake = column(0, 1, 3), column(2, -1)
    moments = [np.mean(real**p) - np.mean(fake**p) for p in (1, 2, 3)]
    expected = np.dot([3, 3, 1], np.square(moments))
    values = [
        kernel_distance(real[list(rows)], fake[list(others)])
        for rows in product(range(3), repeat=3)
        for others in product(range(2), repeat=2)
    ]
    assert np.mean(values) == pytest.approx(expected, rel=1e-12)
    assert min(values) < 0


def test_mean_over_all_subsets_is_the_whole_sets_value():
    real, fake = clouds(0, 6, 5)
    pairs = list(product(combinations(range(6), 3), combinations(range(5), 2)))
    rows, others = ([np.array(side) for side in sides] for sides in zip(*pairs, strict=True))
    mean, _ = kernel_blocks(real, fake, rows, others)
    assert mean == pytest.approx(kernel_distance(real, fake), rel=1e-12)
    values = [mmd(real[list(i)], fake[list(j)], [1.0, 2.0]) for i, j in pairs]
    assert np.mean(values) == pytest.approx(mmd(real, fake, [1.0, 2.0]), rel=1e-12)


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_blocks_of_rows_do_not_matter(monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    real, fake = clouds(0, 70, 64, 7)
    scale = np.abs(cubic(real, real)).mean()
    value = kernel_distance(real, fake)
    assert value == pytest.approx(dense(real, fake, cubic), abs=1e-12 * scale)
    bandwidths = [0.5, 1.0, 4.0]
    expected = dense(real, fake, partial(gaussian, bandwidths=bandwidths))
    assert mmd(real, fake, bandwidths) == pytest.approx(expected, abs=1e-12)


def test_never_holds_all_pairs(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 100)
    real, fake = np.random.default_rng(0).normal(size=(2, 2000, 4)).astype(np.float32)
    tracemalloc.start()
    kernel_distance(real, fake)
    mmd(real, fake, [1.0, 2.0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 8 * 100**2  # all pairs of one side would take 40 times that


@pytest.mark.parametrize("bandwidth", [0.5, 2.0])
def test_two_gaussians_have_a_closed_form(bandwidth):
    """E k = sqrt(|s^2 I| / |s^2 I + C + C'|) exp(-d^T (s^2 I + C + C')^-1 d / 2)."""
    apart, covs = np.array([0.7, -0.4]), (np.diag([1.0, 0.3]), np.array([[0.5, 0.2], [0.2, 0.9]]))

    def expected(cov, other, difference):
        whole = bandwidth**2 * np.eye(2) + cov + other
        exponent = difference @ np.linalg.solve(whole, difference)
        return bandwidth**2 / np.sqrt(np.linalg.det(whole)) * np.exp(-exponent / 2)

    within = sum(expected(cov, cov, np.zeros(2)) for cov in covs)
    population = within - 2 * expected(*covs, apart)
    rng, roots = np.random.default_rng(0), [np.linalg.cholesky(cov) for cov in covs]
    values = [
        mmd(rng.normal(size=(60, 2)) @ roots[0].T, rng.normal(size=(40, 2)) @ roots[1].T + apart,
            [bandwidth])
        for _ in range(800)
    ]  # fmt: skip
    error = np.std(values) / len(values) ** 0.5
    assert error < 0.05 * population
    assert np.mean(values) == pytest.approx(population, abs=4 * error)


def subsets(rng_seed, n, m, size, number):
    """As torch-fidelity draws them: of the one and the other set in turn."""
    rng = np.random.RandomState(rng_seed)
    drawn = [
        (rng.choice(n, size, replace=False), rng.choice(m, size, replace=False))
        for _ in range(number)
    ]
    return [list(side) for side in zip(*drawn, strict=True)]


def test_equals_torch_fidelity_on_its_subsets():
    assert ensure_torchvision() != "absent"
    from torch_fidelity.metric_kid import kid_features_to_metric

    real, fake = clouds(0, 200, 150, 64)
    theirs = kid_features_to_metric(
        torch.from_numpy(real),
        torch.from_numpy(fake),
        kid_subsets=20,
        kid_subset_size=50,
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1.0,
        rng_seed=2020,
        verbose=False,
    )
    mean, error = kernel_blocks(real, fake, *subsets(2020, 200, 150, 50, 20))
    assert mean == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-9)
    deviation = theirs["kernel_inception_distance_std"]  # over B, and of one value
    assert error == pytest.approx(deviation / 19**0.5, rel=1e-9)


def test_equals_torchmetrics():
    ensure_torchvision()
    from torchmetrics.image.kid import poly_mmd

    real, fake = clouds(1, 80, 80, 64)
    theirs = poly_mmd(torch.from_numpy(real), torch.from_numpy(fake)).item()
    assert kernel_distance(real, fake) == pytest.approx(theirs, rel=1e-9)
    single = kernel_distance(real.astype(np.float32), fake.astype(np.float32))
    assert single == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(("count", "width"), [(1500, 64), (300, 2048)])
def test_float32_products_stay_within_their_bound_of_float64(count, width):
    rng = np.random.default_rng(0)
    real, fake = np.abs(rng.normal(size=(2, count, width))).astype(np.float32)
    fake *= np.float32(1.1)
    value = kernel_distance(real.astype(np.float64), fake.astype(np.float64))
    single = kernel_distance(real, fake)
    radius = max(np.square(side, dtype=np.float64).sum(1).max() for side in (real, fake)) / width
    assert single == pytest.approx(value, rel=1e-6)
    assert 0 < abs(single - value) < 4 * 3 * (width + 6) * 2.0**-24 * radius * (radius + 1) ** 2
    rows = disjoint_blocks(np.arange(count), count // 3)
    wide = kernel_blocks(real.astype(np.float64), fake.astype(np.float64), rows, rows)
    assert kernel_blocks(real, fake, rows, rows) == pytest.approx(wide, rel=1e-6)


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.7), (1e3, 2e3), (1e7, 3e7), (1e25, 2e25)])
def test_repeated_points_have_a_closed_form_in_float32(a, b):
    """k(a, a) + k(b, b) - 2 k(a, b) of features that are all a, or all b: also where cubes leave
    float32, from 2e6 on, or squares, from 2e19 on."""
    real, fake = np.full((40, 8), a, np.float32), np.full((30, 8), b, np.float32)
    a, b = float(np.float32(a)), float(np.float32(b))
    expected = (a * a + 1) ** 3 + (b * b + 1) ** 3 - 2 * (a * b + 1) ** 3
    assert kernel_distance(real, fake) == pytest.approx(expected, rel=2e-6)


def test_mean_and_standard_error_of_three_blocks():
    """Over B - 1, and of the mean."""
    real, fake = clouds(0, 30, 24)
    rows, others = disjoint_blocks(np.arange(30), 10), disjoint_blocks(np.arange(24), 8)
    values = [kernel_distance(real[i], fake[j]) for i, j in zip(rows, others, strict=True)]
    mean, error = kernel_blocks(real, fake, rows, others)
    assert mean == pytest.approx(sum(values) / 3, rel=1e-12)
    spread = sum((value - mean) ** 2 for value in values)
    assert error == pytest.approx((spread / 2 / 3) ** 0.5, rel=1e-12)


def test_disjoint_blocks_leave_the_rest_out():
    permutation = np.array([4, 2, 0, 6, 1, 5, 3])
    blocks = disjoint_blocks(permutation, 3)
    assert [block.tolist() for block in blocks] == [[4, 2, 0], [6, 1, 5]]
    assert [block.tolist() for block in disjoint_blocks(permutation, 7)] == [permutation.tolist()]


@given(SEEDS)
def test_swap_order_and_rotation_do_not_matter(seed):
    real, fake = clouds(seed)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
    scale = np.abs(cubic(real, real)).mean() + np.abs(cubic(fake, fake)).mean()
    value = kernel_distance(real, fake)
    near = pytest.approx(value, abs=1e-12 * scale)
    assert kernel_distance(fake, real) == near
    assert kernel_distance(real[::-1], np.roll(fake, 7, axis=0)) == near
    assert kernel_distance(real @ turn, fake @ turn) == near


@given(SEEDS, st.floats(0.1, 10))
def test_gaussian_distance_is_rigid_and_scales_with_its_bandwidths(seed, scale):
    real, fake = clouds(seed)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
    near = pytest.approx(mmd(real, fake, [1.0, 3.0]), abs=1e-12)
    assert mmd(fake @ turn + 2, real @ turn + 2, [1.0, 3.0]) == near
    assert mmd(scale * real, scale * fake, [scale, 3 * scale]) == near


def test_far_apart_and_equal():
    """Repeated points a distance apart that no kernel reaches: 1 + 1 - 0 a bandwidth."""
    assert mmd(np.zeros((4, 2)), np.full((3, 2), 1e3), [1.0, 2.0]) == 4
    assert mmd(np.ones((4, 2)), np.ones((3, 2)), [1.0]) == 0
    assert kernel_distance(np.ones((4, 2)), np.ones((3, 2))) == 0


@pytest.mark.parametrize("score", [kernel_distance, partial(mmd, bandwidths=[1.0])])
def test_refuses_what_it_cannot_measure(score):
    good = np.ones((5, 2))
    for real, fake in ((good, good[:1]), (good[:1], good)):
        with pytest.raises(ValueError, match="two samples a side"):
            score(real, fake)
    for bad in (np.ones((5, 3)), np.ones(5), np.ones((5, 0))):
        with pytest.raises(ValueError, match="found"):
            score(good, bad)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="NaN or infinity"):
            score(good, np.full((5, 2), bad))


def test_refuses_features_whose_cube_leaves_float64():
    with pytest.raises(ValueError, match="too large"), np.errstate(all="ignore"):
        kernel_distance(np.full((3, 2), 1e60), np.ones((3, 2)))


def test_refuses_subsets_without_a_pair_or_a_spread():
    real, fake = clouds(0)
    some = [np.arange(5), np.arange(5, 10)]
    for rows, others in (([], []), (some[:1], some[:1]), (some, some[:1])):
        with pytest.raises(ValueError, match="two at least"):
            kernel_blocks(real, fake, rows, others)
    for size in (0, 1, 41):
        with pytest.raises(ValueError, match=f"40 samples, found {size}"):
            disjoint_blocks(np.arange(40), size)


@pytest.mark.parametrize("bandwidths", [[], [0.0], [1.0, -1.0], [np.nan], [np.inf]])
def test_refuses_bandwidths(bandwidths):
    with pytest.raises(ValueError, match="bandwidths must be positive"):
        mmd(np.zeros((3, 1)), np.zeros((3, 1)), bandwidths)
