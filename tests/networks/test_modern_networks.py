"""Rules of all networks of SNGAN and R3GAN: sides, ranges, seeds, replicas in one trace."""

import copy
from types import SimpleNamespace

import pytest
import torch
from golden_values import fill
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from bench.networks import r3gan, sngan, sngan_cnn

LATENT_DIM, CLASSES = 3, 3
NORM = {"momentum": 0.1, "eps": 1e-5}
WIDE = {"width": 2}
CNN = {"width": 2, "std": 0.3}
SIZES = {"sizes": r3gan.Sizes(width=4, blocks=1, cardinality=2, expansion=2)}
NETWORKS = {  # class -> its own numbers; with `classes` it takes labels
    sngan.Generator: WIDE | NORM,
    sngan.ConditionalGenerator: WIDE | NORM | {"classes": CLASSES},
    sngan.Discriminator: WIDE,
    sngan.ProjectionDiscriminator: WIDE | {"classes": CLASSES},
    sngan_cnn.Generator: CNN | NORM | {"entry_norm": True},
    sngan_cnn.Discriminator: CNN,
    r3gan.Generator: SIZES,
    r3gan.ConditionalGenerator: SIZES | {"classes": CLASSES, "embedding": 2},
    r3gan.Discriminator: SIZES,
    r3gan.ConditionalDiscriminator: SIZES | {"classes": CLASSES, "embedding": 2},
}
EACH = pytest.mark.parametrize("kind", NETWORKS, ids=lambda k: f"{k.__module__[15:]}.{k.__name__}")


def build(kind, side: int, seed: int = 0) -> SimpleNamespace:
    """Return a network in float64 with initial weights, and inputs of two samples."""
    shape, generates = [2, side, side], "Generator" in kind.__name__
    net = kind(shape, LATENT_DIM, **NETWORKS[kind]) if generates else kind(shape, **NETWORKS[kind])
    net = net.double()
    net.reset(torch.Generator().manual_seed(seed))
    samples = (
        fill(2, LATENT_DIM, step=0.7 + seed) if generates else fill(2, *shape, step=0.7 + seed)
    )
    labelled = "classes" in NETWORKS[kind]
    labels = {"labels": torch.tensor([2, 0])} if labelled else {}
    return SimpleNamespace(
        net=net, samples=samples, labels=labels, generates=generates, shape=shape
    )


@EACH
@pytest.mark.parametrize("side", [8, 16, 28, 32, 64])
def test_outputs_at_every_side_are_finite_and_in_the_range(kind, side):
    case = build(kind, side)
    output = case.net(case.samples, **case.labels)
    assert output.shape == ((2, *case.shape) if case.generates else (2,))
    assert output.isfinite().all() and output.std() > 0
    assert kind.pixel_range == (-1.0, 1.0)
    if case.generates and kind.bounded:
        assert output.abs().max() < 1


@EACH
def test_a_seed_makes_the_same_weights_and_leaves_torch_s_own_stream_alone(kind):
    net = build(kind, 8).net
    first = copy.deepcopy(net.state_dict())
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    for name, parameter in net.named_parameters():
        if parameter.ndim == 1 or "gain" in name or "shift" in name:  # constants, not drawn
            parameter.data.copy_(first[name])
    stream = torch.get_rng_state()
    net.reset(torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), stream)
    assert all(torch.equal(first[name], tensor) for name, tensor in net.state_dict().items())
    net.reset(torch.Generator().manual_seed(1))
    assert any(not torch.equal(first[name], tensor) for name, tensor in net.state_dict().items())


@EACH
def test_classes_matter_only_where_they_are_taken(kind):
    case = build(kind, 8)
    with torch.no_grad():  # no weight is 0: neither gains nor the last kernels of blocks
        for i, parameter in enumerate(case.net.parameters()):
            parameter.copy_(fill(*parameter.shape, step=0.37, phase=i, scale=0.4))
    if not case.labels:
        with pytest.raises(TypeError, match="labels"):
            case.net(case.samples, labels=torch.tensor([2, 0]))
        return
    outputs = [case.net(case.samples, labels=torch.tensor([c, 0])) for c in range(CLASSES)]
    assert not torch.allclose(outputs[0][0], outputs[1][0], rtol=1e-4)
    assert not torch.allclose(outputs[1][0], outputs[2][0], rtol=1e-4)
    with pytest.raises(IndexError):
        case.net(case.samples, labels=torch.tensor([CLASSES, 0]))


@EACH
def test_two_replicas_in_one_trace_compute_and_differentiate_as_alone(kind):
    """With R1 of the discriminators, so with second derivatives; some seconds over all networks."""
    cases = [build(kind, 8, seed) for seed in range(2)]
    for r, case in enumerate(cases):
        with torch.no_grad():
            for i, parameter in enumerate(case.net.parameters()):
                parameter.add_(fill(*parameter.shape, step=0.37, phase=i + r, scale=0.1))
    template, generates = copy.deepcopy(cases[0].net), cases[0].generates
    weights, buffers = (
        {
            name: torch.stack([dict(read(c.net))[name] for c in cases]).detach()
            for name, _ in read(cases[0].net)
        }
        for read in (nn.Module.named_parameters, nn.Module.named_buffers)
    )
    samples = torch.stack([c.samples for c in cases])
    labels = {
        n: torch.stack([c.labels[n].roll(r) for r, c in enumerate(cases)]) for n in cases[0].labels
    }

    def loss(score, x):
        value = score(x).square().mean()
        return value if generates else value + grad(lambda p: score(p).sum())(x).square().mean()

    def step(weights, buffers, samples, labels):
        after = {name: b.clone() for name, b in buffers.items()}  # written in place

        def own(weights, after):
            value = loss(
                lambda x: functional_call(template, {**weights, **after}, (x,), labels), samples
            )
            return value, (value, after)

        slope, (value, after) = grad(own, has_aux=True)(weights, after)
        return value, slope, after

    inputs = weights, buffers, samples, labels
    values, slopes, after = torch.no_grad()(make_fx(vmap(step)))(*inputs)(*inputs)
    for r, case in enumerate(cases):
        points = samples[r].clone().requires_grad_()
        own_labels = {name: tensor[r] for name, tensor in labels.items()}
        output = case.net(points, **own_labels)
        value = output.square().mean()
        if not generates:
            (slope,) = torch.autograd.grad(output.sum(), points, create_graph=True)
            value = value + slope.square().mean()
        value.backward()
        assert values[r].item() == pytest.approx(value.item(), rel=1e-11)
        for name, weight in case.net.named_parameters():
            assert torch.allclose(slopes[name][r], weight.grad, rtol=1e-9, atol=1e-12), name
        for name, buffer in case.net.named_buffers():
            assert torch.allclose(after[name][r], buffer, rtol=1e-11), name


@pytest.mark.parametrize("shape", [[1, 7, 8], [3, 4, 4]])
def test_sides_that_cannot_be_halved_are_one_sentence(shape):
    for kind in (sngan.Discriminator, sngan_cnn.Discriminator, r3gan.Discriminator):
        network = kind.__module__.rpartition(".")[2]
        message = f"images of {shape[1]}x{shape[2]}: the {network} networks halve the sides"
        with pytest.raises(ValueError, match=message):
            kind(shape, **NETWORKS[kind])


def test_oblong_images_keep_their_proportion():
    for kind in (sngan.Generator, sngan_cnn.Generator, r3gan.Generator):
        net = kind([1, 12, 20], LATENT_DIM, **NETWORKS[kind])
        assert net(torch.zeros(2, LATENT_DIM)).shape == (2, 1, 12, 20)
    for kind in (sngan.Discriminator, sngan_cnn.Discriminator, r3gan.Discriminator):
        assert kind([1, 12, 20], **NETWORKS[kind])(torch.zeros(2, 1, 12, 20)).shape == (2,)
