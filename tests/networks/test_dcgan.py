"""DCGAN's sizes, parameter counts by hand, the batch-norm switches."""

import pytest
import torch
from torch import nn

from bench.config import build
from bench.core.errors import UserError
from bench.networks import dcgan
from bench.networks.layers import BatchNorm

# Kernels of 4 x 4 have 16 weights. With batch norm a layer has 2 numbers a channel and no bias.
COUNTS = {  # by shape: generator, discriminator, width 64, L = 100, batch norm in both
    (3, 64, 64): (
        100 * 512 * 16 + 2 * 512  # to 4 x 4
        + 512 * 256 * 16 + 2 * 256  # 8 x 8
        + 256 * 128 * 16 + 2 * 128  # 16 x 16
        + 128 * 64 * 16 + 2 * 64  # 32 x 32
        + 64 * 3 * 16 + 3,  # 64 x 64
        3 * 64 * 16 + 64
        + 64 * 128 * 16 + 2 * 128
        + 128 * 256 * 16 + 2 * 256
        + 256 * 512 * 16 + 2 * 512
        + 512 * 16 + 1,
    ),
    (3, 32, 32): (
        100 * 256 * 16 + 2 * 256 + 256 * 128 * 16 + 2 * 128 + 128 * 64 * 16 + 2 * 64
        + 64 * 3 * 16 + 3,
        3 * 64 * 16 + 64 + 64 * 128 * 16 + 2 * 128 + 128 * 256 * 16 + 2 * 256 + 256 * 16 + 1,
    ),
    (1, 28, 28): (
        100 * 128 * 49 + 2 * 128 + 128 * 64 * 16 + 2 * 64 + 64 * 1 * 16 + 1,
        1 * 64 * 16 + 64 + 64 * 128 * 16 + 2 * 128 + 128 * 49 + 1,
    ),
    (1, 8, 8): (
        100 * 64 * 16 + 2 * 64 + 64 * 1 * 16 + 1,
        1 * 64 * 16 + 64 + 64 * 16 + 1,
    ),
}  # fmt: skip


def pair(shape, *, normed, width=64):
    shape = list(shape)
    return (
        dcgan.Generator(shape, 100, width=width, batch_norm=normed, momentum=0.1, std=0.02),
        dcgan.Discriminator(shape, width=width, batch_norm=normed, std=0.02),
    )


def count(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("shape", "counts"), COUNTS.items(), ids=str)
def test_parameters_are_those_counted_by_hand(shape, counts):
    with torch.device("meta"):
        assert tuple(map(count, pair(shape, normed=True))) == counts


def test_the_paper_s_size_has_the_count_of_its_well_known_torch_port():
    """pytorch/examples, dcgan: 3,576,704 and 2,765,568, without any bias; ours has 3 and 64 + 1."""
    assert COUNTS[3, 64, 64] == (3_576_704 + 3, 2_765_568 + 64 + 1)


@pytest.mark.parametrize(
    ("sides", "times"),
    [((64, 64), 4), ((32, 32), 3), ((28, 28), 2), ((8, 8), 1), ((12, 20), 1), ((128, 64), 4)],
)
def test_sides_are_halved_while_four_are_left(sides, times):
    assert dcgan.halvings(*sides) == times


@pytest.mark.parametrize("shape", [*COUNTS, (2, 12, 20)], ids=str)
@pytest.mark.parametrize("normed", [True, False])
def test_shapes_ranges_and_features(shape, normed):
    generator, discriminator = pair(shape, normed=normed, width=2)
    images = generator(torch.randn(3, 100))
    assert images.shape == (3, *shape) and images.min() > 0 and images.max() < 1
    logits = discriminator(images)
    features = discriminator.features(images)
    assert logits.shape == (3,) and features.shape == (3, discriminator.score.in_features)
    assert torch.equal(discriminator.score(features).squeeze(1), logits)


def test_batch_norm_spares_output_and_input_and_can_be_left_out():
    """Of four layers each: all but the last of G, all but the first of D."""
    for net, layers in zip(pair((3, 64, 64), normed=True, width=2), (4, 3), strict=True):
        norms = [m for m in net.modules() if isinstance(m, BatchNorm)]
        assert len(norms) == layers
        # without: one bias a channel instead of scale and shift
        channels = sum(len(n.weight) for n in norms)
        without = pair((3, 64, 64), normed=False, width=2)[layers == 3]
        assert not any(isinstance(m, BatchNorm) for m in without.modules())
        if layers == 4:  # the first layer's bias is of each place, not of each channel
            assert count(without) == count(net) - 2 * channels + 15 * 16 + channels
        else:
            assert count(without) == count(net) - channels
    assert isinstance(pair((3, 64, 64), normed=True, width=2)[1].downward[1], nn.LeakyReLU)


def test_odd_and_small_sides_are_one_sentence():
    with pytest.raises(UserError, match="images of 10x7: the dcgan networks halve the sides"):
        build.build_model(build.compose_config(["network=dcgan", "dataset.shape=[1,10,7]"]))
    with pytest.raises(ValueError, match="6x6"):
        dcgan.halvings(6, 6)


def test_a_model_without_a_pair_is_one_sentence():
    from bench.config import validate

    with pytest.raises(UserError, match="network 'dcgan' has no pair for model 'began'"):
        validate.validate_config(build.compose_config(["network=dcgan", "variant=began"]))
