"""R3GAN's networks against the authors' code: counts, shapes, outputs, initial weights."""

import pytest
import torch
from golden_values import fill, golden
from published_networks import load_sines, our_shapes

from bench.networks import r3gan

CIFAR, SMALL = [3, 32, 32], [3, 8, 8]
PUBLISHED = r3gan.Sizes(width=768, blocks=2, cardinality=96, expansion=2)
TWO_STAGES = r3gan.Sizes(width=[8, 4], blocks=[1, 1], cardinality=[2, 2], expansion=2)
LABELS = torch.tensor([0, 2])


def count(net):
    return sum(p.numel() for p in net.parameters())


def published(kind: str, *, conditional: bool):
    classes = {"classes": 10}
    if kind == "G":
        if conditional:
            return r3gan.ConditionalGenerator(CIFAR, 64, **classes, embedding=64, sizes=PUBLISHED)
        return r3gan.Generator(CIFAR, 64, sizes=PUBLISHED)
    if conditional:
        return r3gan.ConditionalDiscriminator(CIFAR, **classes, embedding=768, sizes=PUBLISHED)
    return r3gan.Discriminator(CIFAR, sizes=PUBLISHED)


@pytest.mark.parametrize(
    ("kind", "conditional", "parameters"),
    [
        ("G", False, 20_732_160),
        ("D", False, 20_683_776),
        ("G", True, 20_781_952),
        ("D", True, 21_280_512),
    ],
)
def test_published_counts_and_shapes(kind, conditional, parameters):
    """Without labels the dense layer has fewer inputs or outputs, and there is no embedding."""
    with torch.device("meta"):
        net = published(kind, conditional=conditional)
    expected = golden(f"parameters/R3GAN/CIFAR10/{kind}/{'cond' if conditional else 'uncond'}")
    assert count(net) == parameters == expected["parameters"]
    assert len(list(net.parameters())) == expected["parameter_tensors"]
    shapes = our_shapes(f"R3GAN/CIFAR10/{kind}/cond")
    if not conditional:
        del shapes["embedding.weight"]
        shapes |= {"dense.weight": (768, 64)} if kind == "G" else {"score.weight": (1, 768)}
    assert {name: tuple(p.shape) for name, p in net.named_parameters()} == {
        name: tuple(shape) for name, shape in shapes.items()
    }


@pytest.mark.parametrize(
    ("shape", "width", "generator", "discriminator"),
    [(SMALL, 32, 29_536, 27_520), (SMALL, 64, 75_456, 71_424), (CIFAR, 64, 145_600, 141_568)],
)
def test_small_networks_have_the_counts_of_the_authors_code(shape, width, generator, discriminator):
    """Their costs were measured: one block a stage, 16 channels in a group."""
    sizes = r3gan.Sizes(width=width, blocks=1, cardinality=width // 8, expansion=2)
    assert count(r3gan.Generator(shape, 64, sizes=sizes)) == generator
    assert count(r3gan.Discriminator(shape, sizes=sizes)) == discriminator


def test_a_residual_block():
    expected = golden("r3gan/residual_block_4")
    block = r3gan.ResidualBlock(4, cardinality=2, expansion=2).double()
    with torch.no_grad():  # the published order is that of ours: kernels, then biases
        for i, parameter in enumerate(block.parameters()):
            parameter.copy_(fill(*parameter.shape, step=0.37, phase=i, scale=0.5))
    y = block(fill(2, 4, 4, 4, step=0.1, phase=0.2))
    assert y.sum().item() == pytest.approx(expected["sum"], rel=1e-9)
    assert y.norm().item() == pytest.approx(expected["norm"], rel=1e-9)
    assert y[0, 0, 0].tolist() == pytest.approx(expected["y_0_0_first_row"], rel=1e-9)
    assert y[1, -1, -1].tolist() == pytest.approx(expected["y_1_last_last_row"], rel=1e-9)


def test_resamplers():
    expected, maps = golden("r3gan/resamplers_4"), fill(2, 4, 4, 4, step=0.1, phase=0.2)
    up, down = r3gan.upsample(maps), r3gan.downsample(maps)
    assert up.sum().item() == pytest.approx(expected["up_sum"], rel=1e-9)
    assert up[0, 0, 0].tolist() == pytest.approx(expected["up_0_0_first_row"], rel=1e-9)
    assert down.sum().item() == pytest.approx(expected["down_sum"], rel=1e-9)
    assert down[0, 0].flatten().tolist() == pytest.approx(
        [v for row in expected["down_0_0"] for v in row], rel=1e-9
    )


def test_the_conditional_generator():
    expected = golden("r3gan/generator_4")
    net = r3gan.ConditionalGenerator(SMALL, 5, classes=3, embedding=4, sizes=TWO_STAGES).double()
    load_sines(net, "r3gan/generator_4", scale=0.4)
    images = net(fill(2, 5, step=0.6, phase=0.3), labels=LABELS)
    assert list(images.shape) == expected["shape"]
    assert images.sum().item() == pytest.approx(expected["sum"], rel=1e-9)
    assert images.norm().item() == pytest.approx(expected["norm"], rel=1e-9)
    assert images[0, :, 0, 0].tolist() == pytest.approx(expected["pixel_0_0_0"], rel=1e-9)
    assert images[1, :, 5, 2].tolist() == pytest.approx(expected["pixel_1_5_2"], rel=1e-9)


def test_the_conditional_discriminator():
    expected = golden("r3gan/discriminator_4")
    net = r3gan.ConditionalDiscriminator(SMALL, classes=3, embedding=6, sizes=TWO_STAGES).double()
    load_sines(net, "r3gan/discriminator_4", scale=0.4)
    logits = net(fill(2, 3, 8, 8, step=0.05, phase=0.2), labels=LABELS)
    assert logits.tolist() == pytest.approx(expected["logits"], rel=1e-9)


def test_initial_standard_deviations_of_the_published_block():
    """2 % of a draw of a million numbers and more, as the published measurement."""
    expected = golden("r3gan/init_std_cifar")
    block = r3gan.ResidualBlock(768, cardinality=96, expansion=2)
    block.reset(torch.Generator().manual_seed(0), blocks=8)
    assert pytest.approx(expected["gain"], rel=1e-12) == r3gan.GAIN
    assert block.conv1.weight.std().item() == pytest.approx(expected["linear1"], rel=0.01)
    assert block.conv2.weight.std().item() == pytest.approx(expected["grouped3x3"], rel=0.02)
    assert not block.conv3.weight.any() and not block.activation1.bias.any()


def test_initial_standard_deviations_outside_of_blocks():
    """1 / sqrt(fan in); the discriminator's embedding is 1 / sqrt(its length) as large."""
    sizes = r3gan.Sizes(width=[512, 256], blocks=1, cardinality=8, expansion=1)
    g = r3gan.ConditionalGenerator(SMALL, 36, classes=100, embedding=64, sizes=sizes)
    d = r3gan.ConditionalDiscriminator(SMALL, classes=100, embedding=144, sizes=sizes)
    for net in (g, d):
        net.reset(torch.Generator().manual_seed(0))
    stds = [
        (g.basis, 1.0),
        (g.dense.weight, 100**-0.5),
        (g.embedding.weight, 100**-0.5),
        (g.transitions[0].weight, 512**-0.5),
        (g.to_image.weight, 256**-0.5),
        (g.stages[0][0].conv1.weight, r3gan.GAIN * 2**-0.25 * 512**-0.5),
        (d.from_image.weight, 3**-0.5),
        (d.transitions[0].weight, 256**-0.5),
        (d.basis, 16**-0.5),
        (d.score.weight, 512**-0.5),
        (d.embedding.weight, 144**-0.5 * 100**-0.5),
    ]
    for weight, std in stds:
        assert weight.std().item() == pytest.approx(std, rel=5 * weight.numel() ** -0.5)
    scale = golden("r3gan/init_std_cifar")  # at the published size
    assert scale["aggregation"] == pytest.approx(768**-0.5) == scale["d_embedding_gain"]


def test_at_the_start_blocks_are_identities():
    sizes = r3gan.Sizes(width=8, blocks=2, cardinality=2, expansion=2)
    net = r3gan.Generator(SMALL, 5, sizes=sizes).double()
    net.reset(torch.Generator().manual_seed(0))
    latent = fill(3, 5, step=0.6)
    maps = net.basis * net.dense(latent)[:, :, None, None]
    assert torch.allclose(net(latent), net.to_image(r3gan.upsample(maps)), rtol=1e-12)


@pytest.mark.parametrize(
    ("side", "stages", "low"), [(8, 2, 4), (16, 3, 4), (28, 3, 7), (32, 4, 4), (64, 5, 4)]
)
def test_stages_at_each_side(side, stages, low):
    sizes = r3gan.Sizes(width=4, blocks=1, cardinality=2, expansion=2)
    for net in (
        r3gan.Generator([1, side, side], 3, sizes=sizes),
        r3gan.Discriminator([1, side, side], sizes=sizes),
    ):
        assert len(net.stages) == stages and net.basis.shape == (4, low, low)
        assert not net.bounded if isinstance(net, r3gan.Generator) else True


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": [8, 4, 2]}, "width has 3 numbers, and the images have 2 stages"),
        ({"cardinality": 3}, "4 x 2 channels cannot be in 3 groups"),
        ({"blocks": [1, 0]}, "the network's blocks"),
        ({"expansion": 0.5}, "the network's expansion"),
    ],
)
def test_impossible_sizes_are_one_sentence(changes, message):
    sizes = {"width": [8, 4], "blocks": 1, "cardinality": 2, "expansion": 2, **changes}
    if "cardinality" in changes:
        sizes["width"] = 4
    with pytest.raises(ValueError, match=message):
        r3gan.Generator(SMALL, 3, sizes=r3gan.Sizes(**sizes))
