"""A replica of a pack is the GAN that its settings make alone, in float64."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from bench import build
from bench.data.batches import shuffled
from bench.models.base import Training
from bench.models.gan import GAN
from bench.models.unrolled import UnrolledGAN
from bench.networks import mlp
from bench.packed import Pack, Replica
from bench.penalties.clipping import WeightClip

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
    return build.make(build.compose_config(["variant=ns_gan", *fixed]).loss)


def pack_of(objective, optimizer, k=0, replicas=REPLICAS, **more):
    given = dict(prior=prior, latent_dim=3, samples=SAMPLES, batch_size=16, dtype=torch.float64)
    given |= dict(optimizer=optimizer, unroll_steps=k)
    return Pack(generator, discriminator, objective, replicas, **{**given, **more})


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
    settings = Training(prior, 3, torch_optimizer(optimizer, one), one.seed, "32", None)
    args = (*(make() for make in players), objective, False, True, settings)
    model = (UnrolledGAN(*args, k) if k else GAN(*args)).double()
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers
    model.on_fit_start()
    for index, rows in enumerate(shuffled(len(SAMPLES), 16, one.seed, 0, STEPS)):
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
        agree(d, model.opponent)
        assert pack.losses["d_loss"][r].item() == pytest.approx(model.losses["d_loss"].item())
        assert pack.losses["g_loss"][r].item() == pytest.approx(model.losses["g_loss"].item())
        assert (pack.d_steps, pack.g_steps) == (model.d_steps, model.g_steps)
