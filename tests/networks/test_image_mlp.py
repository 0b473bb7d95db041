"""The perceptron that draws images: count by hand, range, its initial weights."""

import torch

from bench.config import build
from bench.networks.image_mlp import Generator


def test_parameters_are_those_counted_by_hand():
    with torch.device("meta"):
        net = Generator([3, 8, 8], 100, width=512, depth=3)
    assert sum(p.numel() for p in net.parameters()) == (
        100 * 512 + 512 + 2 * (512 * 512 + 512) + 512 * 192 + 192
    )


def test_an_image_is_the_sigmoid_of_the_perceptron_row_by_row():
    net = Generator([2, 2, 3], 1, width=4, depth=0)
    with torch.no_grad():
        net.net[0].weight.zero_()
        net.net[0].bias.copy_(torch.arange(12.0))
    image = net(torch.rand(1, 1))[0]
    torch.testing.assert_close(image, torch.arange(12.0).sigmoid().reshape(2, 2, 3))


def test_the_config_builds_it_beside_dcgan_s_discriminator():
    model = build.build_model(build.compose_config(["network=image_mlp", "dataset=digits"]))
    net = model.generator
    net.reset(torch.Generator().manual_seed(0))
    assert net.net[0].weight.abs().max() <= 0.1  # 1 / sqrt(100)
    assert net(torch.rand(5, 100)).shape == (5, 1, 8, 8)
    assert type(model.discriminator).__module__ == "bench.networks.dcgan"
