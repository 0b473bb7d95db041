"""Spectral norm against the codes that are in use, and where its vectors may and may not move."""

import copy

import pytest
import torch
from golden_values import fill, golden
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils import parametrizations

from bench.networks import dcgan, minibatch
from bench.networks.spectral import Dialect, SpectralNorm, left_first, right_first

TORCH = Dialect(left_first, 1e-12, 15, False)
TORCH_LEGACY = Dialect(right_first, 1e-12, 0, False)
BIGGAN = Dialect(right_first, 1e-12, 0, True)
DIALECTS = {"torch": TORCH, "torch_legacy": TORCH_LEGACY, "biggan": BIGGAN}
MATRIX = fill(6, 4, step=0.3)


class Linear(nn.Linear):
    """A network of one layer."""

    def __init__(self) -> None:
        super().__init__(4, 6, bias=False, dtype=torch.float64)

    def reset(self, generator: torch.Generator) -> None:
        nn.init.normal_(self.weight, generator=generator)


def linear(dialect: Dialect, u: torch.Tensor, v: torch.Tensor | None = None) -> SpectralNorm:
    """Return the layer with the weights of the published values, and given vectors."""
    layer = SpectralNorm(Linear(), dialect).double()
    with torch.no_grad():
        layer.net.weight.copy_(MATRIX)
        layer.u_weight.copy_(u / u.norm())
        if v is not None:
            layer.v_weight.copy_(v / v.norm())
    return layer


def sigma(layer: SpectralNorm, *, moves: bool) -> float:
    """Return the sigma of one pass, from what it divides the identity's image by."""
    layer.moves = moves
    return (MATRIX / layer(torch.eye(4, dtype=torch.float64)).T)[1, 1].item()


U0 = fill(6, step=0.7, phase=0.2)


def test_sigmas_vectors_and_weights_of_biggan():
    layer, expected = linear(BIGGAN, U0), golden("spectral_norm/linear_6x4/train_sigmas")
    for calls in range(1, 31):
        found = sigma(layer, moves=True)
        if str(calls) in expected["sigma_after_calls"]:
            wanted = expected["sigma_after_calls"][str(calls)]
            assert found == pytest.approx(wanted, rel=1e-9)
        if calls == 2:
            assert layer.u_weight.tolist() == pytest.approx(expected["u_after_2_calls"], rel=1e-9)
            row = layer.net.weight[0] / found
            assert row.tolist() == pytest.approx(expected["W_bar_after_2_calls_first_row"])
    assert found == pytest.approx(torch.linalg.matrix_norm(MATRIX, 2).item(), rel=1e-12)


def test_at_rest_biggan_iterates_once_and_keeps_nothing():
    layer, expected = linear(BIGGAN, U0), golden("spectral_norm/linear_6x4/eval")
    for _ in range(2):
        layer(torch.zeros(1, 4, dtype=torch.float64))  # a pass at rest changes no later pass
        sigma(layer, moves=True)
        layer.moves = False
    assert sigma(layer, moves=False) == pytest.approx(expected["eval_sigma"], rel=1e-9)
    assert sigma(layer, moves=False) == pytest.approx(expected["eval_sigma"], rel=1e-9)


def test_at_rest_torch_uses_what_it_has():
    v0 = fill(4, step=0.6, phase=0.1)
    layer, expected = linear(TORCH_LEGACY, U0, v0), golden("spectral_norm/torch_legacy_6x4")
    sigma(layer, moves=True)
    wanted = expected["sigma_after_2_training_forwards"]
    assert sigma(layer, moves=True) == pytest.approx(wanted, rel=1e-9)
    assert sigma(layer, moves=False) == pytest.approx(expected["eval_sigma"], rel=1e-9)
    assert layer.u_weight.tolist() == pytest.approx(expected["u"], rel=1e-9)


def test_the_gradient_takes_u_and_v_as_constants():
    layer, expected = linear(BIGGAN, U0), golden("spectral_norm/linear_6x4/gradient")
    factors = fill(6, 4, step=0.9, phase=0.4)
    layer.moves = True
    value = (factors * layer(torch.eye(4, dtype=torch.float64)).T).sum()
    value.backward()
    slope = layer.net.weight.grad
    assert value.item() == pytest.approx(expected["value"], rel=1e-9)
    assert slope[0].tolist() == pytest.approx(expected["grad_first_row"], rel=1e-9)
    assert slope.norm().item() == pytest.approx(expected["grad_frobenius"], rel=1e-9)


def test_a_kernel_is_a_matrix_of_its_output_channels():
    expected = golden("spectral_norm/conv_4x3x3x3")
    layer = SpectralNorm(nn.Conv2d(3, 4, 3, padding=1, bias=False).double(), BIGGAN).double()
    with torch.no_grad():
        layer.net.weight.copy_(fill(4, 3, 3, 3, step=0.17))
        layer.u_weight.copy_(fill(4, step=0.5, phase=0.1))  # its length does not count
    layer.moves, images = True, fill(2, 3, 4, 4, step=0.11, phase=0.3)
    first, second = layer(images), layer(images)
    assert first.sum().item() == pytest.approx(expected["y1_sum"], rel=1e-9)
    assert second.sum().item() == pytest.approx(expected["y2_sum"], rel=1e-9)
    assert second[0, 0, 0].tolist() == pytest.approx(expected["y2_0_0_first_row"], rel=1e-9)
    ratio = layer.net(images)[0, 0, 0, 0] / second[0, 0, 0, 0]
    assert ratio.item() == pytest.approx(expected["sigma_2"], rel=1e-9)


def small_discriminator(dialect: Dialect, seed: int = 0, side: int = 16) -> SpectralNorm:
    """Return a network of two convolutions (one where the side is 8) and a linear layer."""
    net = dcgan.Discriminator([2, side, side], width=3, batch_norm=False, std=0.3)
    net = SpectralNorm(net, dialect).double()
    net.reset(torch.Generator().manual_seed(seed))
    return net


def test_the_torch_dialect_is_torchs_own_parametrization():
    ours = small_discriminator(TORCH)
    theirs = copy.deepcopy(ours.net)
    for name in ours.axes:
        path, _, _ = name.rpartition(".")
        layer = parametrizations.spectral_norm(theirs.get_submodule(path))
        vectors = layer.parametrizations.weight[0]
        vectors._u.copy_(ours.get_buffer(f"u_{name.replace('.', '__')}"))
        vectors._v.copy_(ours.get_buffer(f"v_{name.replace('.', '__')}"))
    images = fill(5, 2, 16, 16, step=0.7)
    for training in (False, True, True, False):
        theirs.train(training)
        ours.moves = training
        assert torch.allclose(ours(images), theirs(images), rtol=1e-12, atol=0)


def test_a_transposed_kernel_has_its_outputs_on_the_second_axis():
    layer = nn.ConvTranspose2d(3, 5, 2, bias=False).double()
    ours = SpectralNorm(layer, BIGGAN).double()
    ours.moves = True
    for _ in range(300):
        weights = ours.normalised_weights()
    largest = torch.linalg.matrix_norm(layer.weight.transpose(0, 1).flatten(1), 2)
    assert torch.allclose(weights["weight"], layer.weight / largest, rtol=1e-9)


def test_reset_draws_the_network_first_and_makes_the_first_iterations():
    drawn = small_discriminator(BIGGAN, seed=3)
    plain = dcgan.Discriminator([2, 16, 16], width=3, batch_norm=False, std=0.3).double()
    plain.reset(torch.Generator().manual_seed(3))
    for name, weight in plain.named_parameters():
        assert torch.equal(drawn.net.get_parameter(name), weight)
    for vector in drawn.buffers():
        assert vector.norm().item() == pytest.approx(1.0, rel=1e-12)
    many = small_discriminator(Dialect(right_first, 1e-12, 500, False))
    for name, weight in many.normalised_weights().items():
        norm = torch.linalg.matrix_norm(weight.flatten(1), 2)
        assert norm.item() == pytest.approx(1.0, rel=1e-6), name


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_vectors_move_only_where_it_is_said(dialect):
    net, images = small_discriminator(dialect), fill(5, 2, 16, 16, step=0.7)
    before = copy.deepcopy(net.state_dict())
    net.train()
    slope = grad(lambda x: net(x).sum())(images)
    slope.square().sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    net.eval()
    net.moves = True
    net(images)
    moved = [n for n, value in net.state_dict().items() if not torch.equal(value, before[n])]
    of_kernels = [n for n in before if n.startswith(("u_downward", "v_downward"))]
    assert len(of_kernels) == 4 and set(of_kernels) <= set(moved)
    assert set(moved) <= {*of_kernels, "u_score__weight", "v_score__weight"}


def test_two_moving_passes_and_one_backward():
    """Real, fake, backward: autograd keeps the vectors of each pass."""
    for dialect in DIALECTS.values():
        net, images = small_discriminator(dialect), fill(5, 2, 16, 16, step=0.7)
        still = net(images).sum()
        net.moves = True
        (still + net(images).sum() + net(-images).sum()).backward()


@pytest.mark.parametrize("dialect", [TORCH, BIGGAN], ids=["torch", "biggan"])
def test_replicas_move_and_differentiate_as_alone(dialect):
    """Three replicas in one trace: passes that move, then R1 at rest, with all their slopes.

    Some seconds: nothing else shows that u moves inside of vmap, grad and a trace.
    """
    nets = [small_discriminator(dialect, seed, side=8) for seed in range(3)]
    template = copy.deepcopy(nets[0])
    images = fill(3, 4, 2, 8, 8, step=0.7)
    weights, buffers = (
        {
            name: torch.stack([dict(read(n))[name] for n in nets]).detach()
            for name, _ in read(nets[0])
        }
        for read in (nn.Module.named_parameters, nn.Module.named_buffers)
    )

    def loss(weights, buffers, images):
        def score(x):
            return functional_call(template, {**weights, **buffers}, (x,))

        template.moves = True
        value = score(images).mean() - score(-images).square().mean()
        template.moves = False
        return value + grad(lambda x: score(x).sum())(images).square().sum()

    def step(weights, buffers, images):
        after = {name: b.clone() for name, b in buffers.items()}  # written in place

        def own(weights, after, images):
            value = loss(weights, after, images)
            return value, (value, after)

        slope, (value, after) = grad(own, has_aux=True)(weights, after, images)
        return value, slope, after

    packed = torch.no_grad()(make_fx(vmap(step)))(weights, buffers, images)
    values, slopes, after = packed(weights, buffers, images)
    for r, net in enumerate(nets):
        net.moves = True
        value = net(images[r]).mean() - net(-images[r]).square().mean()
        net.moves = False
        points = images[r].clone().requires_grad_()
        (slope,) = torch.autograd.grad(net(points).sum(), points, create_graph=True)
        (value + slope.square().sum()).backward()
        assert values[r].item() == pytest.approx((value + slope.square().sum()).item(), rel=1e-10)
        for name, weight in net.named_parameters():
            assert torch.allclose(slopes[name][r], weight.grad, rtol=1e-9, atol=1e-12), name
        for name, vector in net.named_buffers():
            assert torch.allclose(after[name][r], vector, rtol=1e-10), name


def test_what_the_network_says_and_computes_is_handed_on():
    trunk = dcgan.Discriminator([2, 16, 16], width=3, batch_norm=False, std=0.3)
    net = SpectralNorm(trunk, TORCH).double()
    net.reset(torch.Generator().manual_seed(0))
    trunk.works_in = [-1.0, 1.0]
    assert net.works_in == [-1.0, 1.0] and not hasattr(net, "mixes_samples")
    images = fill(5, 2, 16, 16, step=0.7)
    divided = copy.deepcopy(trunk)
    divided.load_state_dict({**divided.state_dict(), **net.normalised_weights()})
    assert torch.allclose(net.features(images), divided.features(images), rtol=1e-12)
    assert torch.allclose(copy.deepcopy(net).features(images), net.features(images))
    with pytest.raises(AttributeError, match="not normalised"):
        _ = net.score
    assert not hasattr(SpectralNorm(nn.Linear(2, 1), TORCH), "features")


def test_minibatch_discrimination_inside_is_seen_by_who_looks_for_mixing_layers():
    inner = dcgan.Discriminator([2, 16, 16], width=3, batch_norm=False, std=0.3)
    mixing = minibatch.Discriminator(inner, kernels=2, width=2, std=0.3)
    net = SpectralNorm(mixing, TORCH)
    assert any(getattr(layer, "mixes_samples", False) for layer in net.modules())
    net.reset(torch.Generator().manual_seed(0))
    assert torch.isfinite(net(torch.rand(4, 2, 16, 16))).all()


def test_labels_reach_the_network():
    class Projection(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(3, 2)

        def forward(self, samples, labels):
            return (self.embedding(labels) * samples).sum(1)

    net = SpectralNorm(Projection(), BIGGAN)
    net.moves = True
    samples, labels = torch.rand(4, 2), torch.tensor([0, 2, 1, 2])
    for _ in range(100):
        found = net(samples, labels=labels)
    norm = torch.linalg.matrix_norm(net.net.embedding.weight, 2)
    assert torch.allclose(found, net.net(samples, labels) / norm, rtol=1e-5)


def test_networks_without_weights_of_their_own_are_refused():
    with pytest.raises(ValueError, match="has none"):
        SpectralNorm(nn.Sequential(nn.ReLU()), TORCH)
    shared = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    shared[1].weight = shared[0].weight
    with pytest.raises(ValueError, match="share"):
        SpectralNorm(shared, TORCH)
    for bad in ({"eps": 0.0}, {"start_iterations": -1}):
        settings = {"eps": 1e-12, "start_iterations": 0, **bad}
        with pytest.raises(ValueError, match=next(iter(bad))):
            Dialect(left_first, **settings, iterates_at_rest=False)
