"""Velocity networks: shapes, what they begin as, and that time and every pixel matter."""

import math

import pytest
import torch

from bench.networks.unet import UNet, VelocityPerceptron, embed_time


@pytest.mark.parametrize("shape", [[1, 8, 8], [1, 28, 28], [3, 32, 32], [3, 64, 64], [2, 8, 12]])
def test_a_velocity_has_the_shape_of_the_image_and_begins_at_0(shape, generator):
    net = UNet(shape, width=4)
    net.reset(generator)
    images = torch.rand(2, *shape, generator=generator)
    assert torch.equal(net(images, torch.rand(2, generator=generator)), torch.zeros_like(images))


def test_sizes_follow_from_the_width():
    """8x8 has two levels: 4 and 8 channels, with time in 12 numbers and 16 hidden ones."""
    assert [block.last.out_channels for block in UNet([1, 8, 8], width=4).down] == [4, 8]
    assert [block.last.out_channels for block in UNet([1, 64, 64], width=4).down] == [
        4, 8, 16, 16, 16
    ]  # fmt: skip


def test_time_and_all_pixels_matter(generator):
    net = UNet([1, 8, 8], width=4)
    net.reset(generator)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    images = torch.rand(1, 1, 8, 8, generator=generator).requires_grad_()
    early, late = (net(images, torch.tensor([t])) for t in (0.1, 0.9))
    assert not torch.allclose(early, late, atol=1e-3)
    (slope,) = torch.autograd.grad(early[0, 0, 0, 0], images)
    assert (slope != 0).all()


def test_time_is_embedded_by_known_sines():
    (found,) = embed_time(torch.tensor([1.0])).tolist()
    assert found[:6] == pytest.approx([1, 0, 0, 0, 0, 0], abs=1e-4)
    assert found[6:] == pytest.approx([0, -1, 1, 1, 1, 1], abs=1e-4)
    (third,) = embed_time(torch.tensor([1 / 3])).tolist()
    assert third[0] == pytest.approx(math.sin(math.pi / 6), abs=1e-6)


def test_a_perceptron_of_depth_0_is_linear_in_point_and_time():
    net = VelocityPerceptron([2], width=3, depth=0)
    torch.nn.init.ones_(net.net[0].weight)
    torch.nn.init.zeros_(net.net[0].bias)
    (found,) = net(torch.tensor([[2.0, 3.0]]), torch.tensor([1.0])).tolist()
    assert found == pytest.approx([2 + 3 + 1 + 3, 9], abs=1e-4)  # sines add up to 1, cosines to 3


@pytest.mark.parametrize("shape", [[1, 7, 7], [1, 4, 4]])
def test_images_that_cannot_be_halved_are_refused(shape):
    with pytest.raises(ValueError, match="unet"):
        UNet(shape, width=4)
