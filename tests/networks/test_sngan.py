"""SNGAN's residual networks against mimicry and BigGAN: counts, shapes, outputs, weights."""

import math

import pytest
import torch
from golden_values import fill, golden
from published_networks import load_sines, our_shapes
from torch import nn
from torch.nn import functional

from bench.networks import sngan
from bench.networks.spectral import Dialect, SpectralNorm, left_first, right_first

CIFAR = [3, 32, 32]
NORM = {"momentum": 0.1, "eps": 1e-5}
TORCH_LEGACY = Dialect(right_first, 1e-12, 0, False)
LABELS = torch.tensor([0, 2])


def count(net):
    return sum(p.numel() for p in net.parameters())


def test_published_counts():
    """mimicry's D has an output bias; ours has none, as the authors' code."""
    with torch.device("meta"):
        nets = {
            "mimicry/SNGAN32/G": sngan.Generator(CIFAR, 128, width=256, **NORM),
            "StudioGAN/SNGAN/G": sngan.ConditionalGenerator(
                CIFAR, 128, classes=10, width=256, **NORM
            ),
            "mimicry/SNGAN32/D": sngan.Discriminator(CIFAR, width=128),
            "mimicry/cGAN-PD32/D": sngan.ProjectionDiscriminator(CIFAR, classes=10, width=128),
        }
    counts = {name: count(net) for name, net in nets.items()}
    assert list(counts.values()) == [4_276_739, 4_304_387, 1_053_824, 1_055_104]
    for name, found in counts.items():
        expected = golden(f"parameters/{name}")
        bias = name.endswith("/D")
        assert found + bias == expected["parameters"], name
        assert len(list(nets[name].parameters())) + bias == expected["parameter_tensors"], name
    for other in ("mimicry/cGAN-PD32/G", "BigGAN-PyTorch/C10 script/G"):  # as large
        assert golden(f"parameters/{other}")["parameters"] == counts["StudioGAN/SNGAN/G"]
    projection = golden("parameters/StudioGAN/SNGAN/D")["parameters"]
    assert projection == counts["mimicry/cGAN-PD32/D"] + 1


@pytest.mark.parametrize(
    ("network", "make"),
    [
        ("mimicry/SNGAN32/G", lambda: sngan.Generator(CIFAR, 128, width=256, **NORM)),
        ("mimicry/SNGAN32/D", lambda: sngan.Discriminator(CIFAR, width=128)),
        (
            "mimicry/cGAN-PD32/D",
            lambda: sngan.ProjectionDiscriminator(CIFAR, classes=10, width=128),
        ),
        (
            "BigGAN-PyTorch/C10 script/G",
            lambda: sngan.ConditionalGenerator(CIFAR, 128, classes=10, width=256, **NORM),
        ),
    ],
)
def test_published_shapes(network, make):
    with torch.device("meta"):
        net = make()
    assert {name: p.shape for name, p in net.named_parameters()} == our_shapes(network)


def test_the_generator_is_mimicry_s_but_for_bilinear_maps(monkeypatch):
    expected = golden("sngan32/generator_4")
    net = sngan.Generator(CIFAR, 6, width=4, **NORM).double()
    load_sines(net, "sngan32/generator_4", scale=0.4)
    latent = fill(3, 6, step=0.6, phase=0.3)
    nearest = net(latent)
    bilinear = {"scale_factor": 2.0, "mode": "bilinear"}
    monkeypatch.setattr(sngan, "upsample", lambda x: functional.interpolate(x, **bilinear))
    images = net(latent)
    assert images.sum().item() == pytest.approx(expected["sum"], rel=1e-9)
    assert images.norm().item() == pytest.approx(expected["norm"], rel=1e-9)
    assert images[0, :, 0, 0].tolist() == pytest.approx(expected["pixel_0_0_0"], rel=1e-9)
    assert images[2, :, 13, 7].tolist() == pytest.approx(expected["pixel_2_13_7"], rel=1e-9)
    assert not torch.allclose(images, nearest, rtol=1e-2)


def test_the_conditional_generator_is_the_one_of_biggan_s_script_without_spectral_norm():
    """Nearest neighbours, 1 + gain, a plain last batch norm."""
    expected = golden("biggan32/generator_ch1_plain")
    net = sngan.ConditionalGenerator(CIFAR, 8, classes=4, width=4, **NORM).double()
    load_sines(net, "biggan32/generator_ch1_plain", scale=0.3)
    images = net(fill(2, 8, step=0.7, phase=0.3), labels=torch.tensor([1, 3]))
    assert images.sum().item() == pytest.approx(expected["sum"], rel=1e-9)
    assert images.norm().item() == pytest.approx(expected["norm"], rel=1e-9)
    assert images[0, :, 0, 0].tolist() == pytest.approx(expected["pixel_0_0_0"], rel=1e-9)
    assert images[1, :, 13, 7].tolist() == pytest.approx(expected["pixel_1_13_7"], rel=1e-9)


class InPlaceBlock(sngan.DownBlock):
    """The block whose first ReLU is in place, so that the shortcut sees relu(x): mimicry's."""

    def forward(self, x):
        return super().forward(functional.relu(x))


def test_the_projection_discriminator_under_spectral_norm_is_mimicry_s(monkeypatch):
    """In mimicry the last layer and the embedding are not normalised, and there is an output bias.

    The value is the release's on the inputs of modern_golden.json; that file's own logits, 19.27
    and 71.74, come neither from the release nor from the network without ReLU in place.
    """
    name = "sngan32/projection_discriminator_4"
    monkeypatch.setattr(sngan, "DownBlock", InPlaceBlock)
    net = sngan.ProjectionDiscriminator(CIFAR, classes=3, width=4)
    normed = SpectralNorm(net, TORCH_LEGACY).double()
    bias = load_sines(net, name, scale=0.4)["l5.bias"]
    layers = ["conv1", "conv2", "shortcut"]  # the vectors' order, two blocks with a shortcut
    kernels = [f"blocks.{b}.{layer}" for b in range(4) for layer in layers[: 3 - (b > 1)]]
    for j, kernel in enumerate(kernels):
        for side, phase in zip("uv", (2 * j, 2 * j + 1), strict=True):
            vector = normed.get_buffer(f"{side}_{kernel.replace('.', '__')}__weight")
            sines = fill(*vector.shape, step=0.5, phase=phase)
            vector.copy_(sines / sines.norm())
    normed.moves = True
    features = normed.features(fill(2, 3, 32, 32, step=0.01, phase=0.2))
    logits = net.score(features).squeeze(1) + bias + (net.embedding(LABELS) * features).sum(1)
    expected = golden(f"{name} of the release")["logits"]
    assert logits.tolist() == pytest.approx(expected, rel=1e-9)


def test_under_spectral_norm_head_and_embedding_are_divided_too():
    net = sngan.ProjectionDiscriminator([1, 8, 8], classes=3, width=4)
    normed = SpectralNorm(net, Dialect(left_first, 1e-12, 15, False)).double()
    normed.reset(torch.Generator().manual_seed(0))
    images = fill(2, 1, 8, 8, step=0.7)
    features, weights = normed.features(images), normed.normalised_weights()
    head = features @ weights["score.weight"].T
    projection = (weights["embedding.weight"][LABELS] * features).sum(1)
    assert torch.allclose(normed(images, labels=LABELS), head.squeeze(1) + projection, rtol=1e-12)


def test_a_projection_is_linear_in_features_summed_over_pixels():
    net = sngan.ProjectionDiscriminator([2, 8, 8], classes=3, width=4).double()
    net.reset(torch.Generator().manual_seed(0))
    images = fill(2, 2, 8, 8, step=0.7)
    features = functional.relu(net.blocks(images)).sum((2, 3))
    weights = net.score.weight + net.embedding.weight[LABELS]
    assert torch.allclose(net(images, labels=LABELS), (weights * features).sum(1), rtol=1e-12)


@pytest.mark.parametrize(
    ("side", "ups", "blocks", "low"),
    [(8, 1, 3, 4), (16, 2, 3, 4), (28, 2, 4, 7), (32, 3, 4, 4), (64, 4, 5, 4)],
)
def test_blocks_at_each_side(side, ups, blocks, low):
    """The last two blocks of D work at 8x8, but at 4x4 for 8x8 and at 7x7 for 28x28."""
    generator = sngan.Generator([1, side, side], 3, width=2, **NORM)
    discriminator = sngan.Discriminator([1, side, side], width=2)
    assert len(generator.blocks) == ups and generator.dense[0].out_features == 2 * low**2
    assert len(discriminator.blocks) == blocks
    last = {8: 4, 28: 7}.get(side, 8)
    assert discriminator.blocks(torch.zeros(1, 1, side, side)).shape == (1, 2, last, last)


def test_initial_weights_are_glorot_s():
    """Uniform within gain sqrt(6 / (fan in + fan out)): the largest of many is close below."""
    net = sngan.ProjectionDiscriminator([3, 8, 8], classes=10, width=24)
    net.reset(torch.Generator().manual_seed(0))
    bounds = {
        "blocks.1.conv1.weight": math.sqrt(2) * math.sqrt(6 / (24 * 9 * 2)),
        "blocks.1.conv2.weight": math.sqrt(2) * math.sqrt(6 / (24 * 9 * 2)),
        "blocks.0.conv1.weight": math.sqrt(2) * math.sqrt(6 / (3 * 9 + 24 * 9)),
        "blocks.0.shortcut.weight": math.sqrt(6 / (3 + 24)),
        "embedding.weight": math.sqrt(6 / (10 + 24)),
        "score.weight": math.sqrt(6 / (24 + 1)),
    }
    weights = dict(net.named_parameters())
    for name, bound in bounds.items():
        assert 0.85 * bound < weights[name].abs().max() <= bound, name
    assert all(not w.any() for name, w in weights.items() if name.endswith("bias"))
    generator = sngan.Generator([3, 8, 8], 16, width=24, **NORM)
    generator.reset(torch.Generator().manual_seed(0))
    dense = generator.dense[0].weight.abs().max()
    assert 0.98 * math.sqrt(6 / (16 + 24 * 16)) < dense <= math.sqrt(6 / (16 + 24 * 16))
    last = generator.conv.weight.abs().max()
    assert 0.98 * math.sqrt(6 / (24 * 9 + 3 * 9)) < last <= math.sqrt(6 / (24 * 9 + 3 * 9))
    assert isinstance(generator.dense[0], nn.Linear) and not generator.dense[0].bias.any()
