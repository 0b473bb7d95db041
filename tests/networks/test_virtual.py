"""Virtual batch norm against its definition, and what it is for: samples that do not mix."""

import pytest
import torch
from torch import nn

from bench.config import build
from bench.core.errors import UserError
from bench.networks import dcgan, infogan, mlp
from bench.networks.layers import EPS, BatchNorm
from bench.networks.virtual import Generator, VirtualBatchNorm

T = torch.tensor
NETS = {
    "infogan": lambda: infogan.Generator(
        [1, 8, 8], 3, dense=7, deep=3, shallow=2, momentum=0.1, slope=0.2, std=0.5
    ),
    "dcgan": lambda: dcgan.Generator(
        [1, 16, 16], 3, width=2, batch_norm=True, momentum=0.1, std=0.5
    ),
    "mlp": lambda: mlp.Perceptron(3, 2, width=6, depth=3, batch_norm=True),
}


def test_points_by_hand():
    """Reference {0, 2}: mean 1, variance 1. With 7: mean 3, variance (9 + 1 + 16) / 3."""
    layer = VirtualBatchNorm(1, reference=2)
    found = layer(T([[0.0], [2.0], [7.0], [1.0]])).flatten().tolist()
    own = (1 + EPS) ** 0.5
    assert found == pytest.approx([-1 / own, 1 / own, 4 / (26 / 3 + EPS) ** 0.5, 0.0], abs=1e-6)


def test_images_are_normalised_over_reference_and_own_places_together(generator):
    """The mean and variance of R + 1 images' places, each channel alone; scaled and shifted."""
    layer = VirtualBatchNorm(3, reference=4).double()
    layer.weight.data, layer.bias.data = T([1.0, 2, 3]).double(), T([0.5, 0, -1]).double()
    x = torch.randn(6, 3, 5, 2, generator=generator, dtype=torch.float64)
    found = layer(x)
    plain = nn.BatchNorm2d(3, eps=EPS, dtype=torch.float64)
    plain.weight.data, plain.bias.data = layer.weight.data, layer.bias.data
    assert torch.allclose(found[:4], plain(x[:4]), atol=1e-12)
    for i in (4, 5):
        assert torch.allclose(found[i], plain(torch.cat([x[:4], x[i : i + 1]]))[4], atol=1e-12)


@pytest.mark.parametrize("net", NETS)
def test_a_sample_depends_on_its_own_latent_alone(net, generator):
    made = Generator(NETS[net](), 3, reference=5)
    made.reset(generator)
    assert not any(isinstance(layer, BatchNorm) for layer in made.modules())
    assert made.latents.min() >= -1 and made.latents.max() < 1 and made.latents.std() > 0.3
    latent = torch.randn(4, 3, generator=generator)
    whole = made(latent)
    alone = torch.cat([made(one[None]) for one in latent])
    assert torch.allclose(whole, alone, atol=1e-5)
    plain = NETS[net]()
    plain.reset(torch.Generator().manual_seed(0))
    mixed = torch.cat([plain(one[None].repeat(2, 1))[:1] for one in latent])
    assert not torch.allclose(plain(latent), mixed, atol=1e-3)  # what batch norm does
    assert torch.equal(made.eval()(latent), whole)  # no second mode for evaluation


def test_the_reference_is_drawn_after_the_weights_and_kept_with_them():
    found = []
    for _ in range(2):
        made = Generator(NETS["mlp"](), 3, reference=5)
        made.reset(torch.Generator().manual_seed(1))
        found.append(made.state_dict())
    assert torch.equal(found[0]["latents"], found[1]["latents"])
    plain = NETS["mlp"]()
    plain.reset(torch.Generator().manual_seed(1))
    assert torch.equal(found[0]["net.0.weight"], plain[0].weight)


def test_nothing_to_replace_and_no_reference_are_one_sentence():
    with pytest.raises(ValueError, match="the network has none"):
        Generator(mlp.generator([2], 3, width=4, depth=2), 3, reference=5)
    with pytest.raises(UserError, match="reference is 1"):
        build.build_model(
            build.compose_config(["variant=virtual_gan", "network.virtual.generator.reference=1"])
        )
