"""A replica of a pack is the GAN that its settings make alone, in float64."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from bench.config import build
from bench.data.batches import iter_batch_indices
from bench.models.base import TrainingConfig
from bench.models.gan import GAN
from bench.models.unrolled import UnrolledGAN
from bench.networks import minibatch, mlp
from bench.networks.layers import BatchNorm
from bench.penalties.clipping import WeightClip
from bench.theory.replicas import Pack, Replica

STEPS = 60
SAMPLES = torch.randn(90, 2, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
REPLICAS = [
    Replica(seed=0, learning_rate=1e-3, betas=(0.5, 0.9), penalty_weight=10.0),
    Replica(seed=4, learning_rate=1e-2, betas=(0.0, 0.999), penalty_weight=0.1),
    Replica(seed=2**40, learning_rate=3e-4, betas=(0.9, 0.99), penalty_weight=1.0),
]
CASES = {  # loss of conf, optimizer, n_dis, k
    "ns_gan": ("nonsaturating", "adam", 1, 0),
    "minimax": ("minimax", "sgd", 2, 0),
    "lsgan": ("lsgan", "adam", 1, 0),
    "wgan rmsprop": ("wgan_fresh", "rmsprop", 5, 0),
    "wgan adam": ("wgan", "adam", 3, 0),
    "wgan_gp": ("wgan_gp", "adam", 5, 0),
    "wgan_lp": ("wgan_lp", "adam", 5, 0),
    "dragan": ("dragan", "adam", 1, 0),
    "r1": ("nonsaturating_r1", "rmsprop", 1, 0),
    "hinge": ("hinge", "adam", 1, 0),
    "unrolled": ("nonsaturating", "adam", 1, 2),
    "unrolled sgd": ("minimax", "sgd", 2, 2),
    "unrolled wgan_gp": ("wgan_gp", "adam", 2, 2),
}


def prior(count, latent_dim, generator):
    return torch.randn(count, latent_dim, generator=generator, dtype=torch.float64)


def generator():
    return mlp.generator([2], 3, width=7, depth=2)


def discriminator(batch_norm=False):
    return mlp.Discriminator([2], width=8, depth=2, batch_norm=batch_norm)


def objective_of(loss, n_dis):
    fixed = [f"loss={loss}", f"hyperparameters.n_dis={n_dis}", "+hyperparameters.weight_clip=0.1"]
    fixed.append("+hyperparameters.penalty_weight=1.0")
    return build.instantiate(build.compose_config(["variant=ns_gan", *fixed]).loss)


def pack_of(objective, optimizer, k=0, replicas=REPLICAS, **more):
    given = dict(prior=prior, latent_dim=3, samples=SAMPLES, batch_size=16, dtype=torch.float64)
    given |= dict(optimizer=optimizer, unroll_steps=k)
    opponent = more.pop("discriminator", discriminator)
    return Pack(generator, opponent, objective, replicas, **{**given, **more})


def torch_optimizer(name, one):
    if name == "adam":
        return partial(torch.optim.Adam, lr=one.learning_rate, betas=one.betas, eps=1e-8)
    if name == "rmsprop":
        alpha = one.betas[1]
        return partial(torch.optim.RMSprop, lr=one.learning_rate, alpha=alpha, eps=1e-10)
    return partial(torch.optim.SGD, lr=one.learning_rate)


def alone(objective, optimizer, k, one, players=(generator, discriminator)):
    """The LightningModule of one replica's settings after STEPS steps."""
    if one.penalty_weight is not None:
        objective = replace(objective, penalty_weight=one.penalty_weight)
    if one.weight_clip is not None:
        objective = replace(objective, constraint=WeightClip(one.weight_clip))
    settings = TrainingConfig(prior, 3, torch_optimizer(optimizer, one), one.seed, "32", None)
    args = (*(make() for make in players), objective, False, True, settings)
    model = (UnrolledGAN(*args, k) if k else GAN(*args)).double()
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers
    model.on_fit_start()
    for index, rows in enumerate(iter_batch_indices(len(SAMPLES), 16, one.seed, 0, STEPS)):
        model.training_step(SAMPLES[rows], index)
    return model


def agree(found, wanted):
    pairs = zip(found.named_parameters(), wanted.named_parameters(), strict=True)
    for (name, ours), (other, theirs) in pairs:
        assert name == other
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_a_replica_is_the_gan_trained_alone(case):
    loss, optimizer, n_dis, k = CASES[case]
    objective, replicas = objective_of(loss, n_dis), REPLICAS
    if objective.constraint is not None:  # bounds of its own, and the objective's
        replicas = [
            replace(r, weight_clip=c) for r, c in zip(REPLICAS, (0.02, 0.3, None), strict=True)
        ]
    pack = pack_of(objective, optimizer, k, replicas)
    pack.train(STEPS)
    assert pack.diverged.tolist() == [-1, -1, -1]
    for r, one in enumerate(replicas):
        model = alone(objective, optimizer, k, one)
        g, d = pack.replica(r)
        agree(g, model.generator)
        agree(d, model.discriminator)
        assert pack.losses["d_loss"][r].item() == pytest.approx(model.losses["d_loss"].item())
        assert pack.losses["g_loss"][r].item() == pytest.approx(model.losses["g_loss"].item())
        assert (pack.d_steps, pack.g_steps) == (model.d_steps, model.g_steps)


def test_batch_norm_and_minibatch_discrimination_are_each_replicas_own():
    def compared():
        return minibatch.Discriminator(discriminator(True), kernels=3, width=2, std=0.1)

    objective = objective_of("nonsaturating", 1)  # by sgd: Adam blows a 0 before batch norm up
    pack = pack_of(objective, "sgd", discriminator=compared)
    pack.train(STEPS)
    for r, one in enumerate(REPLICAS):
        model = alone(objective, "sgd", 0, one, (generator, compared))
        for found, wanted in zip(pack.replica(r), model.players(), strict=True):
            agree(found, wanted)


def bits(pack, r):
    return [player.weights[r].clone() for player in (pack.generator, pack.discriminator)]


@pytest.mark.parametrize("loss", ["wgan", "wgan_gp"])
@pytest.mark.parametrize("rate", [1e30, 1e300])
def test_a_diverged_replica_is_noted_stands_still_and_moves_no_bit_of_the_others(loss, rate):
    """With lr 1e300 the weights themselves overflow, at once or by the next product."""
    replicas = [replace(one, weight_clip=None) for one in REPLICAS]
    objective = replace(objective_of(loss, 2), constraint=None)
    healthy, ill = pack_of(objective, "sgd", replicas=replicas), [*replicas]
    ill[1] = replace(ill[1], learning_rate=rate)
    pack = pack_of(objective, "sgd", replicas=ill)
    noted, still = [], []
    for _ in range(30):
        pack.step()
        healthy.step()
        noted.append(pack.diverged[1].item())
        if noted[-1] > 0:
            still.append(torch.cat(bits(pack, 1)))
    at = noted[-1]
    assert 1 <= at < 30 and noted == [-1] * (at - 1) + [at] * (31 - at)
    assert still[0].isfinite().all() and all(torch.equal(still[0], one) for one in still)
    assert not all(losses[1].isfinite() for losses in pack.losses.values())
    assert pack.diverged.tolist() == [-1, at, -1] and healthy.diverged.tolist() == [-1, -1, -1]
    for r in (0, 2):
        assert all(torch.equal(*two) for two in zip(bits(pack, r), bits(healthy, r), strict=True))
        assert all(torch.equal(pack.losses[n][r], healthy.losses[n][r]) for n in pack.losses)


@pytest.mark.parametrize("k", [0, 1])
def test_a_pack_goes_on_to_the_same_bits(k, tmp_path):
    objective = objective_of("wgan_gp", 3)
    ill = [*REPLICAS, replace(REPLICAS[0], learning_rate=1e300)]
    whole, first, second = (pack_of(objective, "adam", k, ill) for _ in range(3))
    whole.train(25)
    first.train(11)
    torch.save(first.state(), tmp_path / "state.pt")
    first.train(5)  # what a state holds is its own
    second.load(torch.load(tmp_path / "state.pt", weights_only=True))
    assert second.diverged.tolist()[:3] == [-1] * 3 and second.diverged[3] > 0
    second.train(14)
    for r in range(4):
        assert all(torch.equal(*two) for two in zip(bits(whole, r), bits(second, r), strict=True))
    assert (second.d_steps, second.g_steps) == (25, whole.g_steps)
    assert torch.equal(whole.diverged, second.diverged)
    for name in whole.losses:
        torch.testing.assert_close(
            whole.losses[name], second.losses[name], rtol=0, atol=0, equal_nan=True
        )


def test_what_a_pack_shows_is_what_its_modules_compute():
    pack = pack_of(objective_of("nonsaturating", 1), "adam")
    seen = []
    pack.train(6, every=2, watch=lambda given: seen.append((given is pack, given.d_steps)))
    assert seen == [(True, 2), (True, 4), (True, 6)]
    latent, points = SAMPLES.new_ones(5, 3), SAMPLES[:5]
    fake, logits = pack.generate(latent), pack.opinion(points)
    slopes = pack.discriminator.gradient(points)
    assert fake.shape == (3, 5, 2) and logits.shape == (3, 5) and slopes.shape == (3, 5, 2)
    assert torch.equal(pack.generate(latent.expand(3, 5, 3)), fake)
    assert torch.equal(pack.opinion(points.expand(3, 5, 2)), logits)
    for r in range(3):
        g, d = pack.replica(r)
        at = points.clone().requires_grad_()
        d(at).sum().backward()
        torch.testing.assert_close(g(latent), fake[r], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(d(points), logits[r], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(at.grad, slopes[r], rtol=1e-12, atol=1e-12)


def averaging():
    return nn.Sequential(nn.Linear(2, 4), BatchNorm(4, momentum=0.1), nn.Linear(4, 1))


WIDTHS = iter((4, 4, 5))
WRONG = {
    "of no replicas": dict(replicas=[]),
    "running averages": dict(discriminator=averaging),
    "one architecture": dict(
        discriminator=lambda: mlp.Discriminator([2], width=next(WIDTHS), depth=1, batch_norm=False)
    ),
    "optimizer is 'lbfgs'": dict(optimizer="lbfgs"),
    "in batches of 0": dict(batch_size=0),
    "0 samples": dict(samples=SAMPLES[:0]),
    "check_every is 0": dict(check_every=0),
    "unroll_steps is -1": dict(k=-1),
    "cannot be unrolled: choose": dict(k=1, optimizer="rmsprop"),
    "clipped cannot be unrolled": dict(k=1, objective=objective_of("wgan", 1)),
    "no other constraint": dict(
        objective=replace(objective_of("wgan", 1), constraint=torch.nn.utils.clip_grad_norm_)
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_cannot_be_packed_is_one_sentence(sentence):
    given = dict(objective=objective_of("nonsaturating", 1), optimizer="adam")
    with pytest.raises(ValueError, match=sentence) as caught:
        pack_of(**{**given, **WRONG[sentence]})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learning_rate", -1.0),
        ("learning_rate", float("inf")),
        ("betas", (0.5, 1.0)),
        ("penalty_weight", -1.0),
        ("penalty_weight", float("nan")),
        ("weight_clip", 0.0),
    ],
)
def test_a_number_outside_its_range_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        replace(REPLICAS[0], **{field: value})


def test_a_state_of_another_pack_and_samples_for_others_are_refused():
    objective = objective_of("nonsaturating", 1)
    pack, other = pack_of(objective, "adam"), pack_of(objective, "adam", replicas=REPLICAS[:2])
    with pytest.raises(ValueError, match="this pack"):
        pack.load(other.state())
    with pytest.raises(ValueError, match="for 3 replicas"):
        pack.opinion(SAMPLES.expand(2, *SAMPLES.shape))
