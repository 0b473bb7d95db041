"""SNGAN's standard CNN against GN-GAN: counts, shapes, what each side leaves out."""

import pytest
import torch
from golden_values import fill, golden
from published_networks import TENSORS
from torch import nn

from bench.networks import sngan_cnn
from bench.networks.conditional import EpsBatchNorm

CIFAR = [3, 32, 32]
SETTINGS = {"momentum": 0.1, "eps": 1e-5, "std": 0.02}


def generator(shape, latent_dim=128, *, width=64, entry_norm=True):
    return sngan_cnn.Generator(shape, latent_dim, width=width, entry_norm=entry_norm, **SETTINGS)


def discriminator(shape, *, width=64):
    return sngan_cnn.Discriminator(shape, width=width, std=0.02)


def count(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("name", "make", "parameters"),
    [
        ("GN-GAN/cnn.32/G", lambda: generator(CIFAR), 3_813_379),
        ("StudioGAN/DCGAN/G", lambda: generator(CIFAR, entry_norm=False), 3_812_355),
        ("GN-GAN/cnn.32/D", lambda: discriminator(CIFAR), 5_860_865),
    ],
)
def test_published_counts(name, make, parameters):
    with torch.device("meta"):
        net = make()
    expected = golden(f"parameters/{name}")
    assert count(net) == parameters == expected["parameters"]
    assert len(list(net.parameters())) == expected["parameter_tensors"]


def test_published_shapes():
    """In order; our last layer of G is a convolution, [out, in, ...], GN-GAN's a transposed one."""
    with torch.device("meta"):
        nets = {"GN-GAN/cnn.32/G": generator(CIFAR), "GN-GAN/cnn.32/D": discriminator(CIFAR)}
    for name, net in nets.items():
        shapes = [list(p.shape) for p in net.parameters()]
        published = [shape for _, shape in TENSORS[name]]
        if name.endswith("G"):
            assert (shapes[-2], published[-2]) == ([3, 64, 3, 3], [64, 3, 3, 3])
            shapes[-2] = published[-2]
        assert shapes == published


def test_a_transposed_kernel_of_stride_1_is_a_flipped_one():
    """So GN-GAN's last layer and ours are the same functions."""
    transposed = nn.ConvTranspose2d(4, 3, 3, padding=1).double()
    plain, maps = nn.Conv2d(4, 3, 3, padding=1).double(), fill(2, 4, 5, 5, step=0.7)
    plain.load_state_dict(
        {"weight": transposed.weight.transpose(0, 1).flip(2, 3), "bias": transposed.bias}
    )
    assert torch.allclose(plain(maps), transposed(maps), rtol=1e-12)


@pytest.mark.parametrize(
    ("side", "stages", "low"),
    [(8, 1, 4), (16, 2, 4), (28, 2, 7), (32, 3, 4), (48, 3, 6), (64, 3, 8)],
)
def test_stages_at_each_side(side, stages, low):
    """Weights of D: one before, two a stage, one after; 48x48 starts at 6x6, as in the paper."""
    g, d = generator([1, side, side], 3, width=2), discriminator([1, side, side], width=2)
    layers = [m for m in d.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 2 + 2 * stages
    assert g[0].out_features == 2 * 2**stages * low**2 == d.score.in_features
    assert sum(isinstance(m, nn.ConvTranspose2d) for m in g) == stages
    assert sum(isinstance(m, EpsBatchNorm) for m in g) == stages + 1
    without = generator([1, side, side], 3, width=2, entry_norm=False)
    assert sum(isinstance(m, EpsBatchNorm) for m in without) == stages
    assert all(m.negative_slope == 0.1 for m in d.modules() if isinstance(m, nn.LeakyReLU))


def test_initial_weights_are_normal_and_biases_zero():
    net = discriminator([3, 8, 8], width=16)
    net.reset(torch.Generator().manual_seed(0))
    kernel = net.downward[2].weight
    assert kernel.std().item() == pytest.approx(0.02, rel=0.03)
    assert kernel.abs().max() > 2.5 * 0.02  # not truncated
    assert not net.score.bias.any() and not net.downward[0].bias.any()
