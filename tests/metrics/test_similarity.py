from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bench.metrics.similarity as module
from bench.core.shims import ensure_torchvision
from bench.metrics.similarity import C_1, C_2, MS_SIDE, WEIGHTS, ms_ssim, similarity, ssim

ensure_torchvision()

from torchmetrics.functional.image import structural_similarity_index_measure  # noqa: E402


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape)


def alike(n, *shape):
    """Images that share most: no scale's mean similarity is negative."""
    return 0.6 * images(1, *shape, seed=1) + 0.4 * images(n, *shape)


def pairs(x):
    """The first and the second of all pairs, as tensors."""
    first, second = zip(*combinations(torch.from_numpy(x), 2), strict=True)
    return torch.stack(first), torch.stack(second)


def by_torchmetrics(first, second):
    """SSIM and contrast of pairs; of the former only the places whose window is not padded."""
    options = {"data_range": 1.0, "reduction": "none"}
    _, whole = structural_similarity_index_measure(first, second, return_full_image=True, **options)
    _, contrast = structural_similarity_index_measure(
        first, second, return_contrast_sensitivity=True, **options
    )
    return whole[..., 5:-5, 5:-5].mean((1, 2, 3)).numpy(), contrast.numpy()


def of_one_place(x, y):
    """SSIM and contrast of images [S, S] by NumPy's weighted covariance, one window."""
    axis = np.arange(len(x)) - (len(x) - 1) / 2
    weights = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.5**2)).ravel()
    (xx, xy), (_, yy) = np.cov(x.ravel(), y.ravel(), aweights=weights, ddof=0)
    a, b = (np.average(z.ravel(), weights=weights) for z in (x, y))
    contrast = (2 * xy + C_2) / (xx + yy + C_2)
    return contrast * (2 * a * b + C_1) / (a**2 + b**2 + C_1), contrast


@pytest.mark.parametrize("side", [2, 8, 28])
def test_constant_images(side):
    """(2 a b + C1) / (a^2 + b^2 + C1): no contrast, no structure."""
    levels = np.array([0.0, 0.3, 1.0])
    found = ssim(levels[:, None, None, None] * np.ones((1, 2, side, side)))
    c = 0.01**2
    assert found == pytest.approx([c / (0.09 + c), c / (1 + c), (0.6 + c) / (1.09 + c)])


def test_ms_ssim_has_the_published_value():
    """compare_gan, ms_ssim_score_test.py: 0.989989 for levels 0, 0.7 and 1 of 255."""
    levels = np.array([1, 0.7, 0])[:, None, None, None] / 255
    found = similarity(levels * np.ones((1, 3, 64, 64)), batch=64)
    assert found == {"ms_ssim": pytest.approx(0.989989, abs=1e-6)}


@pytest.mark.parametrize(
    ("side", "name"), [(8, "ssim"), (MS_SIDE - 1, "ssim"), (MS_SIDE, "ms_ssim")]
)
def test_a_generator_of_one_image_scores_one(side, name):
    same = np.repeat(images(1, 3, side, side), 5, axis=0)
    assert similarity(same, batch=3) == {name: pytest.approx(1)}


@pytest.mark.parametrize("shape", [(4, 1, 11, 11), (4, 1, 28, 28), (3, 3, 32, 20)])
def test_ssim_equals_torchmetrics(shape):
    x = images(*shape)
    assert ssim(x) == pytest.approx(by_torchmetrics(*pairs(x))[0], abs=1e-12)


def test_ms_ssim_equals_torchmetrics_scale_by_scale():
    x = alike(3, 1, 176, 176)
    first, second = pairs(x)
    expected = 1.0
    for scale, weight in enumerate(WEIGHTS):
        whole, contrast = by_torchmetrics(first, second)
        expected = expected * (whole if scale == 4 else contrast) ** weight
        first, second = (torch.nn.functional.avg_pool2d(z, 2) for z in (first, second))
    assert ms_ssim(x) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("side", [3, 8, 10])
def test_the_window_is_cut_to_the_image(side):
    x = images(2, 1, side, side)
    assert ssim(x) == pytest.approx(of_one_place(*x[:, 0])[0])


def test_ms_ssim_of_64_pixels_cuts_the_window_at_8_and_4():
    """The channels' products are averaged, not their factors."""
    x = alike(2, 2, 64, 64)
    channels = []
    for channel in range(2):
        first, second = pairs(x[:, [channel]])
        expected = 1.0
        for weight in WEIGHTS[:3]:
            expected *= by_torchmetrics(first, second)[1] ** weight
            first, second = (torch.nn.functional.avg_pool2d(z, 2) for z in (first, second))
        expected *= of_one_place(first[0, 0].numpy(), second[0, 0].numpy())[1] ** WEIGHTS[3]
        first, second = (torch.nn.functional.avg_pool2d(z, 2) for z in (first, second))
        expected *= of_one_place(first[0, 0].numpy(), second[0, 0].numpy())[0] ** WEIGHTS[4]
        channels.append(expected)
    assert ms_ssim(x) == pytest.approx(np.mean(channels, axis=0))


def test_negative_scales_count_as_nothing():
    x = images(1, 1, 64, 64)
    assert ssim(np.concatenate([x, 1 - x])) < 0
    assert ms_ssim(np.concatenate([x, 1 - x])) == 0


def test_odd_sides_are_halved_with_their_last_row_twice():
    found = module._halved(np.arange(15.0).reshape(1, 1, 3, 5))
    assert found[0, 0].tolist() == [[3, 5, 6.5], [10.5, 12.5, 14]]
    assert ms_ssim(images(2, 1, 47, 45)).shape == (1,)


def test_batches_are_compared_within_themselves():
    """Two kinds: alike within a batch, unlike across."""
    x = np.repeat(images(2, 1, 16, 16), 4, axis=0)
    assert similarity(x, batch=4) == {"ssim": pytest.approx(1)}
    across = ssim(x[[0, 4]]).item()
    assert similarity(x, batch=8) == {"ssim": pytest.approx((12 + 16 * across) / 28)}


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(2, 14), st.integers(2, 14))
def test_depends_on_neither_order_nor_flips_nor_chunks(seed, height, width):
    x = images(5, 2, height, width, seed=seed)
    expected = pytest.approx(similarity(x, batch=5)["ssim"])
    assert similarity(np.random.default_rng(seed).permutation(x), batch=5)["ssim"] == expected
    assert similarity(x[..., ::-1], batch=5)["ssim"] == expected
    assert similarity(x[:, :, ::-1], batch=5)["ssim"] == expected
    assert similarity(x[:, ::-1].swapaxes(2, 3), batch=5)["ssim"] == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", 1)
        assert similarity(x, batch=5)["ssim"] == expected


def test_fewer_modes_are_more_alike():
    modes = np.kron(images(10, 1, 7, 7), np.ones((4, 4)))
    scores = []
    for kept in (10, 3, 1):
        x = 0.9 * np.tile(modes[:kept], (30 // kept, 1, 1, 1)) + 0.1 * images(30, 1, 28, 28)
        scores.append(similarity(x, batch=30)["ssim"])
    assert scores[0] + 0.1 < scores[1] < scores[2] - 0.1


@pytest.mark.parametrize(
    ("bad", "batch", "message"),
    [
        (images(1, 1, 8, 8), 2, "two images"),
        (images(4, 1, 8, 8), 1, "batch=1"),
        (images(4, 8, 8), 4, "found"),
        (images(4, 1, 8, 1), 4, "sides of 2"),
        (images(4, 1, 8, 8) * 255, 4, "0, 1"),
        (images(4, 1, 8, 8) - 0.5, 4, "0, 1"),
        (np.full((4, 1, 8, 8), np.nan), 4, "found nan"),
    ],
)
def test_refuses(bad, batch, message):
    with pytest.raises(ValueError, match=message):
        similarity(bad, batch=batch)
