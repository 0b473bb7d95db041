"""Networks in their own pixel range behind a converter are those in [0, 1]."""

import pytest
import torch
from torch import nn

from bench.config import build
from bench.core.errors import UserError
from bench.networks.pixels import UnitDiscriminator, UnitGenerator


class Own(nn.Module):
    """[B, 1, 2, 2] -> [B], and latents [B, 4] -> [B, 1, 2, 2], in [-1, 3]."""

    pixel_range = (-1.0, 3.0)

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 2.0, 3.0, 4.0]))

    def reset(self, generator):
        nn.init.normal_(self.weight, generator=generator)

    def forward(self, x):
        return (x.flatten(1) * self.weight).sum(1) if x.ndim == 4 else x.reshape(-1, 1, 2, 2)


def test_black_is_0_and_white_is_1_for_both_players():
    latent = torch.tensor([[-1.0, 3.0, 1.0, 7.0]])
    images = UnitGenerator(Own())(latent)
    assert images.flatten().tolist() == [0.0, 1.0, 0.5, 2.0]  # unbounded: nothing is clipped
    assert UnitDiscriminator(Own())(images).item() == (latent[0] * Own().weight).sum().item()


def test_the_twin_in_unit_range_with_converted_weights_gives_the_same_logits():
    """D(x) = w . (4 x - 1) + b is that of weights 4 w and bias b - sum(w)."""
    own, x = UnitDiscriminator(Own()), torch.rand(5, 1, 2, 2)
    w = own.net.weight
    torch.testing.assert_close(own(x), x.flatten(1) @ (4 * w) - w.sum())


def test_slopes_are_those_of_the_network_times_the_range():
    x = torch.rand(3, 1, 2, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(UnitDiscriminator(Own())(x).sum(), x)
    assert slope.norm().item() == pytest.approx(4 * (3 * 30) ** 0.5)


def test_a_network_without_a_range_is_refused():
    with pytest.raises(ValueError, match="Linear has no pixel_range"):
        UnitGenerator(nn.Linear(2, 2))


@pytest.mark.parametrize("side", [8, 28, 32])
@pytest.mark.parametrize("network", ["sngan", "sngan_cnn", "r3gan"])
def test_samples_of_every_network_are_images_about_the_middle(network, side):
    small = {
        "sngan": ["network.g_width=8", "network.d_width=8"],
        "sngan_cnn": ["network.width=8"],
        "r3gan": ["network.width=8", "network.cardinality=4", "network.blocks=1"],
    }
    chosen = [f"network={network}", f"dataset.shape=[3,{side},{side}]", *small[network]]
    model = build.build_model(build.compose_config(chosen))
    with torch.no_grad():
        images = model.generator(torch.rand(4, model.training_settings.latent_dim))
        assert images.shape == (4, 3, side, side) and 0.2 < images.mean() < 0.8
        assert model.discriminator(images).shape == (4,)


def test_spectral_norm_of_weights_that_start_at_zero_is_one_sentence():
    chosen = ["network=r3gan", "normalisation=spectral", "network.width=8", "network.cardinality=4"]
    with pytest.raises(UserError, match="starts at 0: choose another normalisation="):
        build.build_model(build.compose_config(chosen))
