import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from bench.config import build
from bench.core.errors import UserError
from bench.execution.run import execute
from bench.networks import dcgan, image_mlp, infogan, mlp
from bench.networks.layers import BatchNorm, initialise
from bench.networks.minibatch import MinibatchDiscrimination
from bench.training.job import prepare_job

WIDTHS = dict(deep=128, shallow=64, std=0.02)
COUNTS = {  # compare_gan v1, by shape: G, D, D with BN, BEGAN D, the same with BN, encoder
    (1, 28, 28): (6642241, 6556865, 6559169, 1073601, 1086401, 6687040),
    (3, 32, 32): (8616131, 8524993, 8527297, 1325379, 1342019, 8655168),
    (3, 64, 64): (33855683, 33690817, 33693121, 4495683, 4561475, 33820992),
}


@pytest.mark.parametrize(("shape", "counts"), COUNTS.items(), ids=str)
def test_parameter_counts_are_the_studys(shape, counts):
    shape = list(shape)
    with torch.device("meta"):
        nets = [
            infogan.Generator(shape, 64, dense=1024, momentum=0.001, slope=0.2, **WIDTHS),
            infogan.Discriminator(shape, dense=1024, batch_norm=False, **WIDTHS),
            infogan.Discriminator(shape, dense=1024, batch_norm=True, **WIDTHS),
            infogan.Autoencoder(shape, code=64, batch_norm=False, **WIDTHS),
            infogan.Autoencoder(shape, code=64, batch_norm=True, **WIDTHS),
            infogan.Encoder(shape, 64, dense=1024, batch_norm=False, **WIDTHS),
        ]
    assert tuple(sum(p.numel() for p in n.parameters()) for n in nets) == counts


@pytest.mark.parametrize("shape", [[1, 8, 8], [3, 12, 20]])
def test_infogan_shapes_and_ranges(shape):
    widths = dict(deep=6, shallow=5, std=0.02)
    generator = infogan.Generator(shape, 4, dense=7, momentum=0.1, slope=0.2, **widths)
    images = generator(torch.randn(3, 4))
    assert images.shape == (3, *shape) and images.min() > 0 and images.max() < 1
    assert infogan.Discriminator(shape, dense=7, batch_norm=True, **widths)(images).shape == (3,)
    coded = infogan.Autoencoder(shape, code=2, batch_norm=True, **widths)(images)
    assert coded.shape == images.shape
    mean, sigma = infogan.Encoder(shape, 4, dense=7, batch_norm=True, **widths)(images)
    assert mean.shape == sigma.shape == (3, 4) and sigma.min() > 0


def test_sides_that_cannot_be_halved_twice_are_refused():
    with pytest.raises(ValueError, match="multiples of 4"):
        infogan.Discriminator([1, 10, 8], dense=7, batch_norm=False, **WIDTHS)


def test_initial_weights_have_the_studys_spread_and_no_global_draw(generator):
    net = infogan.Discriminator([1, 28, 28], dense=256, batch_norm=False, **WIDTHS)
    state = torch.get_rng_state()
    net.reset(generator)
    assert torch.equal(state, torch.get_rng_state())
    assert net.dense.weight.std().item() == pytest.approx(0.02, rel=0.01)
    conv = net.downward[2].weight
    assert conv.abs().max().item() <= 0.04  # cut at two standard deviations
    assert conv.std().item() == pytest.approx(0.02 * 0.8796, rel=0.02)  # sd of the cut normal
    assert not net.dense.bias.any() and not net.downward[0].bias.any()


def test_equal_streams_give_equal_weights():
    nets = [mlp.Discriminator([2], width=8, depth=2, batch_norm=False) for _ in range(2)]
    for net in nets:
        net.reset(torch.Generator().manual_seed(3))
    assert all(torch.equal(*pair) for pair in zip(*(n.parameters() for n in nets), strict=True))


def test_running_variance_is_the_biased_one():
    """Batch {0, 2}: mean 1, biased variance 1 (torch's own would average in 2)."""
    layer = BatchNorm(1, momentum=0.25)
    y = layer(torch.tensor([[0.0], [2.0]]))
    assert layer.running_mean.item() == pytest.approx(0.25)
    assert layer.running_var.item() == pytest.approx(0.75 * 1 + 0.25 * 1)
    assert y[1].item() == pytest.approx(1 / (1 + 1e-3) ** 0.5, rel=1e-6)
    layer(torch.tensor([[0.0], [4.0]]))
    assert layer.running_var.item() == pytest.approx(0.75 * 1 + 0.25 * 4)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5, 5)])
def test_batch_norm_is_torchs_but_for_the_running_variance(shape, generator):
    ours, theirs = BatchNorm(3, momentum=0.1), nn.BatchNorm1d(3, eps=1e-3, momentum=0.1)
    if len(shape) == 4:
        theirs = nn.BatchNorm2d(3, eps=1e-3, momentum=0.1)
    x = torch.randn(shape, generator=generator, requires_grad=True)
    weight = torch.randn(shape, generator=generator)
    grads = [torch.autograd.grad((layer(x) * weight).sum(), x)[0] for layer in (ours, theirs)]
    assert torch.allclose(*grads, atol=1e-6)
    assert torch.allclose(ours.running_mean, theirs.running_mean, atol=1e-7)
    ours.eval()
    moved = (x - ours.running_mean.reshape(1, 3, *(1,) * (x.ndim - 2))).detach()
    expected = moved / (ours.running_var.reshape(1, 3, *(1,) * (x.ndim - 2)) + 1e-3).sqrt()
    assert torch.allclose(ours(x), expected, atol=1e-5)


def test_batch_norm_without_averages_has_no_buffers_and_a_bad_momentum_is_refused():
    assert not list(BatchNorm(2, momentum=None).buffers())
    with pytest.raises(ValueError, match="momentum"):
        BatchNorm(2, momentum=0.0)


def test_mlp_batch_norm_spares_the_first_layer_and_outputs_are_linear():
    net = mlp.Discriminator([2], width=4, depth=3, batch_norm=True)
    assert sum(isinstance(m, BatchNorm) for m in net) == 2
    points = mlp.generator([2], 2, width=4, depth=1)
    assert isinstance(points[-1], nn.Linear) and points(torch.zeros(3, 2)).shape == (3, 2)
    autoencoder = mlp.Autoencoder([2], code=1, width=4, depth=1, batch_norm=False)
    assert autoencoder(torch.zeros(3, 2)).shape == (3, 2)


def test_initial_weights_pass_through_parametrizations():
    """Spectral norm computes the weight from another tensor: that one takes the initial value."""
    plain, normed = nn.Linear(3, 2), spectral_norm(nn.Linear(3, 2))
    for layer in (plain, normed):
        initialise(layer, torch.Generator().manual_seed(0), std=0.02)
    assert torch.equal(normed.parametrizations.weight.original, plain.weight)
    assert torch.equal(normed.bias, torch.zeros(2))


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "8", None])
@pytest.mark.parametrize(
    ("build", "sizes"),
    [
        (
            lambda **s: infogan.Generator([1, 8, 8], momentum=0.1, slope=0.2, std=0.5, **s),
            ("latent_dim", "dense", "deep", "shallow"),
        ),
        (
            lambda **s: infogan.Discriminator([1, 8, 8], batch_norm=False, std=0.5, **s),
            ("dense", "deep", "shallow"),
        ),
        (
            lambda **s: infogan.Autoencoder([1, 8, 8], batch_norm=False, std=0.5, **s),
            ("code", "deep", "shallow"),
        ),
        (
            lambda **s: dcgan.Generator([1, 8, 8], batch_norm=True, momentum=0.1, std=0.5, **s),
            ("latent_dim", "width"),
        ),
        (lambda **s: dcgan.Discriminator([1, 8, 8], batch_norm=True, std=0.5, **s), ("width",)),
        (lambda **s: mlp.Perceptron(batch_norm=True, depth=1, **s), ("inputs", "outputs", "width")),
        (lambda **s: mlp.Autoencoder([2], batch_norm=True, depth=1, width=3, **s), ("code",)),
        (lambda **s: image_mlp.Generator([1, 8, 8], 4, depth=2, **s), ("width",)),
        (lambda **s: MinibatchDiscrimination(3, std=0.5, **s), ("kernels", "width")),
    ],
)
def test_sizes_that_cannot_be_built_are_refused(build, sizes, size):
    """Torch builds layers of size 0, and the first step fails."""
    build(**dict.fromkeys(sizes, 2))
    for name in sizes:
        with pytest.raises(
            ValueError, match=f"the network's {name} is .*; set it to a whole number"
        ):
            build(**{**dict.fromkeys(sizes, 2), name: size})


@pytest.mark.parametrize("depth", [-1, 1.5, True])
def test_a_depth_that_is_no_number_of_layers_is_refused(depth):
    assert len(mlp.Perceptron(2, 3, width=4, depth=0, batch_norm=False)) == 1
    with pytest.raises(ValueError, match="the network's depth is"):
        mlp.Perceptron(2, 3, width=4, depth=depth, batch_norm=False)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["network.dense=0"], "the network's dense is 0; set it to a whole number from 1 on"),
        (["network.dense=100000000000"], "variant 'ns_gan': "),  # more than any memory
        (["network.decoder._target_=tests.networks.test_networks.Broken"], "IndexError: no layer"),
    ],
)
def test_a_run_whose_network_cannot_be_built_writes_nothing(tiny, tmp_path, overrides, said):
    job = prepare_job(build.compose_config(tiny(*overrides)))
    with pytest.raises(UserError, match=said):
        execute(job)
    assert not job.folder.path.exists()


class Broken(infogan.Generator):
    """A generator with a fault of its own."""

    def reset(self, generator):
        raise IndexError("no layer")
