"""Weight norm, layer norm, and packs of samples, around any discriminator."""

from functools import partial

import pytest
import torch
from torch import nn

from bench.networks import infogan, mlp
from bench.networks.layer_norm import with_layer_norm
from bench.networks.packing import Packed
from bench.networks.weight_norm import WeightNorm


def images_net(batch_norm=False):
    return infogan.Discriminator(
        [1, 8, 8], dense=6, deep=4, shallow=3, batch_norm=batch_norm, std=0.5
    )


def test_weight_norm_begins_as_the_network_and_its_weights_are_g_v_over_norm_v():
    net = WeightNorm(images_net())
    net.reset(torch.Generator().manual_seed(0))
    x = torch.rand(5, 1, 8, 8)
    assert torch.allclose(net(x), net.net(x), atol=1e-6)
    net.scales["dense__weight"].data.mul_(3.0)
    weight = net.normalised_weights()["dense.weight"]
    assert torch.allclose(weight, 3 * net.net.dense.weight, rtol=1e-5)
    net.net.dense.weight.data.mul_(7.0)  # the length of v does not count
    assert torch.allclose(net.normalised_weights()["dense.weight"], weight, rtol=1e-5)
    assert set(net.scales) == {n.replace(".", "__") for n in net.axes}


def test_a_transposed_kernel_has_a_scale_for_each_output():
    class Up(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.ConvTranspose2d(3, 5, 2)

        def reset(self, generator):
            nn.init.normal_(self.layer.weight, generator=generator)

    net = WeightNorm(Up())
    net.reset(torch.Generator().manual_seed(0))
    norms = net.normalised_weights()["layer.weight"].movedim(1, 0).flatten(1).norm(dim=1)
    assert net.scales["layer__weight"].shape == (5,)
    assert torch.allclose(norms, net.scales["layer__weight"])


def test_layer_norm_takes_the_places_of_batch_norm_and_mixes_no_samples():
    net = with_layer_norm(images_net(batch_norm=True))
    net.reset(torch.Generator().manual_seed(0))
    x = torch.rand(6, 1, 8, 8)
    assert torch.allclose(net(x)[:2], net(x[:2]), atol=1e-6)
    hidden = net.norm(torch.randn(4, 6))
    assert torch.allclose(hidden.mean(1), torch.zeros(4), atol=1e-6)
    assert torch.allclose(hidden.var(1, correction=0), torch.ones(4), atol=1e-3)
    with pytest.raises(ValueError, match="type Discriminator has none: choose another"):
        with_layer_norm(images_net())


def test_a_pack_is_joined_along_channels_or_coordinates_and_the_rest_is_left_out():
    packed = Packed(partial(mlp.Discriminator, width=4, depth=1, batch_norm=False), [2], packing=3)
    packed.reset(torch.Generator().manual_seed(0))
    x = torch.randn(7, 2)
    assert torch.allclose(packed(x), packed.net(x[:6].reshape(2, 6)))
    assert packed.features(x).shape == (2, 4)
    net = partial(infogan.Discriminator, dense=6, deep=4, shallow=3, batch_norm=False, std=0.5)
    of_images = Packed(net, [1, 8, 8], packing=2)
    of_images.reset(torch.Generator().manual_seed(0))
    pair = torch.rand(2, 1, 8, 8)
    assert torch.allclose(of_images(pair), of_images.net(pair.reshape(1, 2, 8, 8)))
    with pytest.raises(ValueError, match="packing is 0"):
        Packed(net, [1, 8, 8], packing=0)
