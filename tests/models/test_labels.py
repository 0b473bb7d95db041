"""Labels from the split to both players: who gets which, how they are drawn, and who refuses."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from support import make_objective, make_training
from torch import nn

from bench.config import build
from bench.core.batch import Batch, Latent
from bench.core.errors import UserError
from bench.core.objective import Term
from bench.core.parts import ALONE
from bench.data.batches import BatchIndexSampler, DeviceBatches, HostBatches, training_data
from bench.data.split import Split
from bench.losses import minimax, nonsaturating
from bench.losses.least_squares import logit
from bench.models import priors
from bench.models.gan import GAN
from bench.networks import mlp
from bench.networks.conditional import (
    ClassEmbedding,
    Classifier,
    Projection,
    weights_without_embeddings,
)
from bench.networks.sampler import Sampler, draw_labels, takes_labels
from bench.penalties import norms, sampling_points
from bench.penalties.consistency import Consistency
from bench.penalties.gradient import GradientPenalty

SGD = partial(torch.optim.SGD, lr=0.1)
TRAIN = Split(np.arange(24, dtype=np.float32).reshape(12, 2), np.arange(12) % 3)
GAME = minimax.discriminator_loss, nonsaturating.generator_loss


def plain():
    return mlp.Discriminator([2], width=4, depth=1, batch_norm=False)


def conditional(discriminator=None, *, classes=3, **parts):
    generator = mlp.ConditionalGenerator([2], 2, classes=classes, width=4, depth=1)
    net = Projection(plain(), classes=classes) if discriminator is None else discriminator
    game = make_objective(*GAME, **parts)
    model = GAN(generator, net, game, False, False, make_training(SGD))
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers
    model.fit_to_data(TRAIN)
    model.on_fit_start()
    return model


@pytest.mark.parametrize("kind", [DeviceBatches, HostBatches])
def test_each_sample_has_its_own_label(kind):
    data = training_data(TRAIN)
    order = BatchIndexSampler(12, 5, 0, 0, 4, ["data"])
    found = kind(data, order) if kind is DeviceBatches else map(kind(data).__getitem__, order)
    batches = list(found)
    assert len(batches) == 4
    for batch in batches:  # the split's label of row i is i modulo 3, its first number 2 i
        assert torch.equal(batch.labels["labels"], (batch.samples[:, 0] / 2).long() % 3)


def test_labels_are_drawn_by_the_shares_of_the_training_split():
    labels = draw_labels([600, 0, 300, 100], 100_000, torch.Generator().manual_seed(1))["labels"]
    shares = labels.bincount(minlength=4) / 100_000
    # four standard deviations of a share of 0.6 over 100,000 draws are 0.0062
    assert torch.allclose(shares, torch.tensor([0.6, 0.0, 0.3, 0.1]), rtol=0, atol=0.0062)
    assert shares[1] == 0 and draw_labels(None, 5, torch.Generator()) == {}


def test_they_are_drawn_after_the_latents_which_are_those_of_an_unconditional_run():
    stream = torch.Generator().manual_seed(3)
    drawn = Sampler(nn.Identity(), priors.normal, 4, [1, 1]).draw(6, stream)
    again = torch.Generator().manual_seed(3)
    assert torch.equal(drawn.z, priors.normal(6, 4, again))
    assert torch.equal(drawn.labels["labels"], draw_labels([1, 1], 6, again)["labels"])


def test_an_unconditional_model_sees_no_labels():
    net = mlp.generator([2], 2, width=4, depth=1)
    model = GAN(net, plain(), make_objective(*GAME), False, False, make_training(SGD))
    model.fit_to_data(TRAIN)
    model.on_fit_start()
    assert model.class_counts is None and model.draw_latent(3).labels == {}
    assert not takes_labels(model.generator) and model.sampler().class_counts is None


def watch(model):
    """Record the labels with which generator and discriminator are called."""
    seen = {"generator": [], "discriminator": []}
    for name in seen:
        net = getattr(model, name)

        def call(*inputs, forward=net.forward, own=seen[name], **labels):
            own.append(labels["labels"])
            return forward(*inputs, **labels)

        net.forward, net.takes_labels = call, True
    return seen


def test_both_players_see_the_labels_of_the_samples():
    model = conditional()
    seen, real = watch(model), Batch(torch.randn(4, 2), {"labels": torch.tensor([2, 1, 0, 2])})
    model.training_step(real, 0)
    ours, second = seen["generator"]
    on_real, on_fake, in_g_step = seen["discriminator"]
    assert torch.equal(on_real, real.labels["labels"])
    assert torch.equal(on_fake, ours) and torch.equal(in_g_step, second)


SLOPES = {  # sampling place -> whose labels its points have
    "interpolated": "between",
    "around_real": "real",
    "around_real_gaussian": "real",
    "around_real_centred": "real",
    "around_both": "both",
    "at_real": "real",
    "at_fake": "fake",
}


def test_the_rule_is_stated_for_every_sampling_place():
    places = {n: f for n, f in vars(sampling_points).items() if hasattr(f, "random_inputs")}
    assert {name: place.side for name, place in places.items()} == SLOPES


@pytest.mark.parametrize("place", SLOPES)
def test_points_have_the_labels_of_that_rule(place):
    function = getattr(sampling_points, place)
    scaled = place in ("around_real", "around_real_gaussian", "around_both")
    bound = partial(function, scale=0.1) if scaled else function
    slope = GradientPenalty(bound, norms.zero_centred, logit, 0.0)
    model = conditional(penalty=slope, weight=1.0)
    assert model.objective.pairs_labels == (place == "interpolated")
    seen = []

    def critic(batch):
        seen.append(batch.labels["labels"])
        return batch.samples.sum(1)

    real = Batch(torch.randn(4, 2), {"labels": torch.tensor([0, 1, 2, 0])})
    asked = {"labels": torch.tensor([2, 2, 1, 0])}
    fake = Batch(torch.randn(4, 2), real.labels if place == "interpolated" else asked)
    copies = 2 if place == "around_both" else 1
    draws = {"mix": torch.rand(4 * copies), "noise": torch.rand(4 * copies, 2)}
    model.objective.slope_term("penalty", critic, real, fake, draws, ALONE)
    expected = {
        "real": real.labels["labels"],
        "between": real.labels["labels"],
        "fake": fake.labels["labels"],
        "both": torch.cat([real.labels["labels"], fake.labels["labels"]]),
    }
    assert all(torch.equal(labels, expected[SLOPES[place]]) for labels in seen)


def test_under_a_penalty_between_samples_the_generated_ones_have_the_real_ones_classes():
    slope = GradientPenalty(sampling_points.interpolated, norms.two_sided, logit, 1e-4)
    model = conditional(penalty=slope, weight=1.0)
    real = Batch(torch.randn(4, 2), {"labels": torch.tensor([2, 1, 0, 2])})
    seen = watch(model)
    model.training_step(real, 0)
    assert all(torch.equal(labels, real.labels["labels"]) for labels in seen["generator"])
    assert all(torch.equal(labels, real.labels["labels"]) for labels in seen["discriminator"])


def test_a_published_weight_carries_over():
    """f = 3 x: slope 3 for pixels in [0, 1] and 3 / 2 in [-1, 1], so that R1 is 9 and 9 / 4."""
    slope = GradientPenalty(sampling_points.at_real, norms.zero_centred, logit, 0.0)
    images = Batch(torch.rand(4, 1, 1, 1))
    for pixels, expected in ((None, 9.0), ([-1, 1], 2.25), ([0, 255], 9 / 255**2)):
        term = Term(penalty=slope, weight=1, interval=1, player="discriminator", pixel_range=pixels)
        game = replace(make_objective(*GAME), terms={"r1": term})

        def critic(batch):
            assert batch.samples.min() > -0.01 and batch.samples.max() < 1.01  # the suite's range
            return 3 * batch.samples.flatten()

        value = game.slope_term("r1", critic, images, images, {}, ALONE)
        assert value.item() == pytest.approx(expected, rel=1e-5)


def test_the_heads_are_their_equations():
    net = plain()
    projection, classifier = Projection(net, classes=3), Classifier(net, classes=3)
    projection.reset(torch.Generator().manual_seed(0))
    x, labels = torch.randn(5, 2), torch.tensor([0, 2, 1, 1, 0])
    features = net.features(x)
    expected = net(x) + (projection.embedding.weight[labels] * features).sum(1)
    assert torch.allclose(projection(x, labels), expected)
    classifier.reset(torch.Generator().manual_seed(1))
    outputs = classifier(x)
    features = net.features(x)
    assert torch.allclose(outputs["logits"], net(x))
    weight, bias = classifier.classifier.weight, classifier.classifier.bias
    assert torch.allclose(outputs["class_logits"], features @ weight.T + bias)
    assert takes_labels(projection) and not takes_labels(classifier)


def test_what_cannot_be_conditional_is_one_sentence():
    with pytest.raises(ValueError, match="asks for labels, and this data set has none"):
        conditional().fit_to_data(Split(TRAIN.samples, None))
    with pytest.raises(ValueError, match="generator was built for 3 classes, and the data .* to 3"):
        conditional().fit_to_data(Split(TRAIN.samples, np.arange(12) % 4))
    net = mlp.generator([2], 2, width=4, depth=1)
    with pytest.raises(ValueError, match="discriminator asks for labels, and the generator takes"):
        GAN(net, Projection(plain(), classes=3), make_objective(*GAME), False, False,
            make_training(SGD))  # fmt: skip
    with pytest.raises(ValueError, match="ClassEmbedding has no features and linear score"):
        Projection(ClassEmbedding(3, 2), classes=3)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["variant=vae", "conditioning=projection"], "conditioning changes nothing: model 'vae'"),
        (["network=dcgan", "conditioning=acgan"], "'dcgan' has no pair for conditioning=acgan"),
    ],
)
def test_from_the_command_line(tiny, overrides, sentence, run_command):
    from bench import train

    done = run_command(train.main, *overrides, "d_steps=2", "trainer.progress=false")
    assert done.returncode == 2 and sentence in done.stderr


def test_a_network_in_another_range_and_its_twin_give_the_same_samples():
    """tanh(a) in [-1, 1] is 2 sigmoid(2 a) - 1: twice the last weights make the twin in [0, 1]."""
    cfg = build.compose_config(["network=sngan_cnn", "network.width=4", "network.latent_dim=4"])
    ours = build.build_model(cfg).generator.eval()
    last = [layer for layer in ours.modules() if isinstance(layer, nn.Conv2d)][-1]

    class Twin(nn.Module):
        def forward(self, latent):
            with torch.no_grad():
                last.weight *= 2
                last.bias *= 2
            layers = [layer for layer in ours if not isinstance(layer, nn.Tanh)]
            images = torch.sigmoid(nn.Sequential(*layers)(latent))
            with torch.no_grad():
                last.weight /= 2
                last.bias /= 2
            return images

    from bench.networks.sampler import generate

    latent = Latent(torch.randn(6, 4))
    with torch.no_grad():
        assert torch.allclose(generate(ours, latent), generate(Twin(), latent), atol=1e-6)


def test_consistency_is_no_slope_and_reads_one_side():
    cr = Term(penalty=Consistency("real", 0.125), weight=1, interval=1, player="discriminator")
    assert not cr.differentiates_critic and cr.side == "real"


def test_class_labels_without_a_loss_that_is_conditional_are_refused():
    cfg = build.compose_config(["dataset=ring", "conditioning=acgan"])
    cfg.model.generator = build.compose_config(["dataset=ring"]).network.gan.generator
    with pytest.raises(UserError, match="asks for labels, and the networks take none"):
        build.build_model(cfg)


def test_latents_on_the_sphere_have_the_length_of_a_normal_one():
    z = priors.sphere(5, 16, torch.Generator().manual_seed(0))
    assert torch.allclose(z.norm(dim=1), torch.full((5,), 4.0), atol=1e-4)
    normal = priors.normal(5, 16, torch.Generator().manual_seed(0))
    assert torch.allclose(torch.cosine_similarity(z, normal), torch.ones(5), atol=1e-6)


def test_the_share_of_clipped_values_is_that_of_the_generators_samples():
    """z ~ U(-1, 1) as an image of one pixel: a half lies below 0; a bounded generator has none."""

    class Pixel(nn.Module):
        def __init__(self):
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(1))

        def reset(self, generator):
            pass

        def forward(self, latent):
            return latent[:, :1, None, None] + self.shift

    net = Pixel()
    model = GAN(net, plain(), make_objective(*GAME), False, False, make_training(SGD))
    assert model.clipped_share() is None  # the data may be points
    model.fit_to_data(Split(np.zeros((4, 1, 1, 1), np.uint8), None))
    below = priors.uniform(64, 2, torch.Generator().manual_seed(0))[:, 0] < 0
    assert model.clipped_share() == below.double().mean().item()
    net.bounded = True
    assert model.clipped_share() is None


def test_class_embeddings_are_no_matrices_of_a_penalty_on_weights():
    net = Projection(plain(), classes=3)
    found = weights_without_embeddings(net)
    assert not any(weight is net.embedding.weight for weight in found)
    assert len(found) == len(list(net.parameters())) - 1
