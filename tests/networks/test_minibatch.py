"""Minibatch discrimination against its equation worked out by hand."""

import math

import pytest
import torch

from bench.config import build
from bench.core.batch import Batch
from bench.core.errors import UserError
from bench.networks import infogan, mlp
from bench.networks.minibatch import Discriminator, MinibatchDiscrimination

T = torch.tensor


def test_three_samples_one_kernel_by_hand():
    """M = (0, 0), (1, 2), (1, 2): distances 3, 3 and 0; each sample is its own neighbour too."""
    layer = MinibatchDiscrimination(1, kernels=1, width=2, std=1.0)
    layer.tensor.data = T([[[1.0, 2.0]]])
    found = layer(T([[0.0], [1.0], [1.0]])).flatten().tolist()
    assert found == pytest.approx([1 + 2 * math.exp(-3), 2 + math.exp(-3), 2 + math.exp(-3)])


def test_kernels_do_not_mix_and_columns_are_their_own():
    layer = MinibatchDiscrimination(2, kernels=2, width=1, std=1.0)
    layer.tensor.data = T([[[1.0], [0.0]], [[0.0], [1.0]]])  # kernel b looks at feature b alone
    found = layer(T([[0.0, 0.0], [math.log(2), 5.0]]))
    assert torch.allclose(found, T([[1.5, 1 + math.exp(-5)], [1.5, 1 + math.exp(-5)]]))


def test_a_collapsed_batch_is_told_from_a_spread_one_and_order_does_not_matter(generator):
    layer = MinibatchDiscrimination(3, kernels=4, width=5, std=1.0)
    layer.reset(generator)
    same = layer(torch.ones(6, 3))
    assert torch.equal(same, torch.full((6, 4), 6.0))  # every exponent is 0: the batch's size
    spread = torch.randn(6, 3, generator=generator)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    assert (layer(spread) < 5.99).all()
    assert torch.allclose(layer(spread)[order], layer(spread[order]), atol=1e-5)


TRUNKS = {
    "points": (lambda: mlp.Discriminator([2], width=6, depth=2, batch_norm=True), (5, 2), 6),
    "images": (
        lambda: infogan.Discriminator(
            [1, 8, 8], dense=7, deep=3, shallow=2, batch_norm=True, std=0.02
        ),
        (5, 1, 8, 8),
        7,
    ),
}


@pytest.mark.parametrize("trunk", TRUNKS)
def test_the_logit_is_one_linear_layer_of_features_and_nearness_side_by_side(trunk, generator):
    build_trunk, shape, width = TRUNKS[trunk]
    net = Discriminator(build_trunk(), kernels=3, width=2, std=0.5)
    net.reset(generator)
    samples = torch.rand(shape, generator=generator)
    features = net.features(samples)
    assert features.shape == (5, width)
    both = torch.cat([features, net.nearness(features)], 1)
    weight = torch.cat([net.trunk.score.weight, net.weigh.weight], 1)
    assert torch.allclose(net(samples), both @ weight[0] + net.trunk.score.bias, atol=1e-6)
    plain = sum(p.numel() for p in build_trunk().parameters())
    assert sum(p.numel() for p in net.parameters()) == plain + width * 3 * 2 + 3


def test_initial_weights_come_from_the_given_stream_alone(generator):
    net = Discriminator(TRUNKS["points"][0](), kernels=100, width=50, std=0.05)
    state = torch.get_rng_state()
    net.reset(generator)
    assert torch.equal(state, torch.get_rng_state())
    assert net.nearness.tensor.std().item() == pytest.approx(0.05, rel=0.02)


def test_under_a_gradient_penalty_it_must_be_said():
    plain = ["variant=minibatch_gan", "hyperparameters.d_batch_norm=false", "loss=wgan_gp"]
    plain.append("hyperparameters.penalty_weight=1.0")
    with pytest.raises(UserError, match="MinibatchDiscrimination in a discriminator under"):
        build.build_model(build.compose_config(plain))
    model = build.build_model(build.compose_config([*plain, "model.batch_norm_under_penalty=true"]))
    assert model.objective.terms["gp"].weight == 1.0


def test_scores_are_computed_in_batches_of_trainings_size():
    """Of 10 samples in batches of at most 4: 0, 3, 6, 9 together, then 1, 4, 7, then 2, 5, 8."""
    model = build.build_model(
        build.compose_config(["variant=minibatch_gan", "dataset=ring", "batch_size=4"])
    )
    samples = torch.randn(10, 2)
    found = model.discriminator_scores(Batch(samples))
    for batch in ([0, 3, 6, 9], [1, 4, 7], [2, 5, 8]):
        assert torch.equal(found[batch], model.discriminator(samples[batch]))
    assert not torch.allclose(found, model.discriminator(samples))
