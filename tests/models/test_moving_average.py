"""Decay rules of the moving average against StyleGAN2's and R3GAN's code."""

import copy
import math

import pytest
import torch
from golden_values import golden

from bench.core.schedules import Cosine
from bench.models.moving_average import Constant, HalfLife, MovingAverage


def test_stylegan2s_half_life_grows_with_the_images_seen():
    rule = HalfLife(500_000, 0.05, 0)
    expected = [beta for _, beta in golden("ema/stylegan2_500_0.05_6400")["half_life_and_beta"]]
    seen = [64, 6400, 640_000, 9_999_936, 12_800_000]
    assert [rule.decay(images, 64) for images in seen] == pytest.approx(expected, rel=1e-9)


def test_r3gans_half_life_is_a_cosine_from_zero():
    rule = HalfLife(Cosine(0.0, 5e6, 2e7), None, 0)
    expected = golden("r3gan/cifar_schedules_handed")["ema_beta"]
    seen = [0, 1_000_000, 5_000_000, 10_000_000, 20_000_000, 25_000_000]
    assert [rule.decay(images, 512) for images in seen] == pytest.approx(expected, rel=1e-9)


def test_a_weight_counts_half_after_a_half_life_however_it_is_cut():
    rule = HalfLife(1000, None, 0)
    assert rule.decay(10_000, 1000) == 0.5
    assert rule.decay(10_000, 250) ** 4 == pytest.approx(0.5, rel=1e-12)


def test_before_its_start_an_average_is_a_copy():
    for rule in (Constant(0.9999, 64_000), HalfLife(1000, None, 64_000)):
        assert rule.decay(63_999, 64) == 0.0 < rule.decay(64_000, 64) < 1
    assert Constant(0.9999, 64_000).decay(64_000, 64) == 0.9999
    assert Constant(0.9, 0).decay(0, 64) == 0.9


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Constant(1.0, 0), "decay_rate"),
        (lambda: Constant(0.0, 0), "decay_rate"),
        (lambda: Constant(0.9, -1), "start"),
        (lambda: HalfLife(0, None, 0), "half_life"),
        (lambda: HalfLife(math.inf, None, 0), "half_life"),
        (lambda: HalfLife(100, 0, 0), "ramp"),
        (lambda: HalfLife(100, None, math.nan), "start"),
    ],
)
def test_numbers_outside_their_ranges_are_refused(make, word):
    with pytest.raises(ValueError, match=word):
        make()


@pytest.mark.parametrize("copy_buffers", [False, True])
def test_counts_of_torchs_batch_norm_are_copied(copy_buffers):
    net = torch.nn.BatchNorm1d(1)
    average = copy.deepcopy(net)
    net.running_mean += 4
    net.num_batches_tracked += 3
    MovingAverage(Constant(0.5, 0), copy_buffers).update(average, net, 0.5)
    assert average.num_batches_tracked.item() == 3
    assert average.running_mean.item() == (4 if copy_buffers else 2)
