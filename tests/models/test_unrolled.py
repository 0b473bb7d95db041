"""Steps looked ahead: closed forms, finite differences, torch's own optimizers, k = 0."""

import copy
from functools import partial

import pytest
import torch
from support import make_objective, make_training
from torch import nn

from bench.config import build
from bench.core.batch import Batch, Latent, as_batch
from bench.core.errors import UserError
from bench.core.parts import ALONE
from bench.execution.run import execute
from bench.losses import minimax, nonsaturating, wasserstein
from bench.losses.least_squares import logit
from bench.models.base import SingleExecutor
from bench.models.differentiable import ParamState, differentiable_step, param_states, safe_sqrt
from bench.models.gan import GAN
from bench.models.unrolled import UnrolledGAN
from bench.networks import mlp
from bench.penalties import norms, sampling_points
from bench.penalties.clipping import WeightClip
from bench.penalties.gradient import GradientPenalty
from bench.training.job import prepare_job

SGD = partial(torch.optim.SGD, lr=0.1)
ADAM = partial(torch.optim.Adam, lr=0.1, betas=(0.5, 0.9))
NONSATURATING = minimax.discriminator_loss, nonsaturating.generator_loss
WASSERSTEIN = wasserstein.discriminator_loss, wasserstein.generator_loss
GAME = make_objective(*NONSATURATING)
BILINEAR = make_objective(*WASSERSTEIN)
PENALISED = make_objective(
    *WASSERSTEIN,
    penalty=GradientPenalty(sampling_points.interpolated, norms.two_sided, logit, 1e-4),
    weight=1.0,
)


class Slope(nn.Module):
    """f(x) = w x on [B, 1]."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.75))

    def reset(self, generator):
        pass

    def forward(self, x):
        return self.w * x[:, 0]


class Constant(nn.Module):
    """G(z) = theta."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(2.0))

    def reset(self, generator):
        pass

    def forward(self, latent):
        return self.theta.expand(len(latent), 1)


def opened(kind, generator, discriminator, objective, optimizer, *more):
    settings = make_training(optimizer)
    model = kind(generator, discriminator, objective, False, False, settings, *more)
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers
    model.on_fit_start()
    return model


def ahead_of(model):
    """What the model's generator_loss takes beside samples, as a turn gives it."""
    real = as_batch(torch.zeros(16, 2, dtype=torch.float64))
    ex = SingleExecutor(model, real, real)
    return model.lookahead_args(ex, (0,))


def perceptrons(objective, optimizer, k):
    g = mlp.generator([2], 2, width=5, depth=1).double()
    d = mlp.Discriminator([2], width=6, depth=2, batch_norm=True).double()
    if objective.terms:
        d = mlp.Discriminator([2], width=6, depth=2, batch_norm=False).double()
    return opened(UnrolledGAN, g, d, objective, optimizer, k)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_bilinear_game_looked_ahead_has_its_closed_form(k):
    """f_D = w (theta - x): w_k = w - k lr (theta - x); d/dtheta of -w_k theta is -w_k + k lr theta.

    w = 0.75, theta = 2, x = 1/2, lr = 0.1: the plain gradient would be -0.75.
    """
    model = opened(UnrolledGAN, Constant(), Slope(), BILINEAR, SGD, k).double()
    fake = model.generate(torch.zeros(4, 2, dtype=torch.float64))
    real = torch.full((4, 1), 0.5, dtype=torch.float64)
    loss, _ = model.generator_loss(Batch(real), Batch(fake), *ahead_of(model))
    loss.backward()
    w_k = 0.75 - k * 0.1 * 1.5
    assert loss.item() == pytest.approx(-2 * w_k, rel=1e-12)
    assert model.generator.theta.grad.item() == pytest.approx(-w_k + k * 0.1 * 2, rel=1e-12)


@pytest.mark.parametrize("objective", [GAME, PENALISED], ids=["minimax", "penalised"])
@pytest.mark.parametrize("optimizer", [SGD, ADAM], ids=["sgd", "adam"])
def test_the_gradient_is_that_of_finite_differences(objective, optimizer):
    model = perceptrons(objective, optimizer, 3)
    noise = torch.Generator().manual_seed(1)
    real, latent = torch.randn(2, 16, 2, dtype=torch.float64, generator=noise)
    for _ in range(2):  # so that Adam has moments
        fake = model.generate(latent).detach()
        inputs = model.objective.random_inputs("discriminator")
        draws = {name: model.draw_random(wanted, real) for name, wanted in inputs.items()}
        (loss,) = model.discriminator_step_loss(Batch(real), Batch(fake), draws)
        model.step(model.optimizers(False)[1], loss)
    seen = ahead_of(model)

    def loss():
        return model.generator_loss(Batch(real), Batch(model.generate(latent)), *seen)[0]

    parameters = list(model.generator.parameters())
    gradients = torch.autograd.grad(loss(), parameters)
    sides = Batch(real), Batch(model.generate(latent))
    now, _ = model.objective.loss_on_outputs("generator", model.discriminate, *sides, {}, ALONE)
    plain = torch.autograd.grad(now, parameters)
    ahead = torch.cat([g.flatten() for g in gradients])
    direction = torch.randn(len(ahead), dtype=torch.float64, generator=noise)
    ends, h = [], 1e-6
    for sign in (1, -1):
        flat = torch.nn.utils.parameters_to_vector(parameters).detach()
        torch.nn.utils.vector_to_parameters(flat + sign * h * direction, parameters)
        ends.append(loss().item())
        torch.nn.utils.vector_to_parameters(flat, parameters)
    along = (ahead @ direction).item()
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(along, rel=1e-5)
    assert abs((torch.cat([g.flatten() for g in plain]) @ direction).item() / along - 1) > 0.01


@pytest.mark.parametrize("optimizer", [SGD, ADAM], ids=["sgd", "adam"])
def test_steps_looked_ahead_are_the_optimizers_own(optimizer):
    """Twice two steps: from no moments, and from those that the first two left."""
    model = perceptrons(GAME, optimizer, 2)
    before = copy.deepcopy(model.state_dict())
    real, fake, probe = (Batch(torch.randn(8, 2, dtype=torch.float64)) for _ in range(3))
    for _ in range(2):
        ahead = model.critic_with(model.unroll(real, fake, *ahead_of(model), {}))(probe)
        for _ in range(2):
            (loss,) = model.discriminator_step_loss(real, fake, {})
            model.step(model.optimizers(False)[1], loss)
        assert torch.allclose(model.discriminate(probe), ahead, rtol=0, atol=1e-12)
    weights = model.state_dict()
    assert not torch.allclose(weights["discriminator.0.weight"], before["discriminator.0.weight"])


def test_looking_ahead_leaves_the_discriminator_as_it_was():
    model = perceptrons(GAME, ADAM, 4)
    real = torch.randn(8, 2, dtype=torch.float64)
    model.draw_latent = lambda count: Latent(torch.rand(count, 2, dtype=torch.float64))
    model.training_step(real, 0)
    before = copy.deepcopy(model.discriminator.state_dict())
    held = copy.deepcopy(model.optimizers(False)[1].state_dict()["state"])
    fake = model.generate(model.draw_latent(8))
    model.generator_loss(Batch(real), Batch(fake), *ahead_of(model))[0].backward()
    assert all(torch.equal(t, before[n]) for n, t in model.discriminator.state_dict().items())
    for index, state in model.optimizers(False)[1].state_dict()["state"].items():
        assert all(torch.equal(value, held[index][name]) for name, value in state.items())


@pytest.mark.parametrize(
    "overrides",
    [
        ["variant=unrolled_gan", "hyperparameters.unroll_steps=1", "penalty=r1"],
        ["variant=ns_gan", "penalty=path_length"],
    ],
)
def test_a_slope_is_never_taken_in_bfloat16(overrides):
    """Neither that of a penalty in a step that is looked ahead, nor the generator's."""
    points = ["dataset=ring", "network.width=8", "hyperparameters.d_batch_norm=false"]
    model = build.build_model(build.compose_config([*overrides, *points, "precision=bf16"]))
    made = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: made
    model.on_fit_start()
    seen = set()

    def watch(layer, inputs, output):
        seen.add((output.dtype, torch._C._functorch.is_gradtrackingtensor(inputs[0])))

    network = model.discriminator if "penalty=r1" in overrides else model.generator
    (first, *_) = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    first.register_forward_hook(watch)
    model.training_step(torch.rand(4, 2), 0)
    assert (torch.float32, True) in seen and (torch.bfloat16, True) not in seen


def test_a_dead_unit_has_a_finite_gradient():
    """Adam's v is 0 for it; the root's slope there would be infinite."""
    assert torch.equal(
        torch.autograd.functional.jacobian(safe_sqrt, torch.zeros(2)), torch.zeros(2, 2)
    )
    squares = torch.tensor([4.0], requires_grad=True)
    safe_sqrt(squares).sum().backward()
    assert squares.grad.item() == 0.25
    dead = nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = ADAM([dead])
    gradient = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (held,) = param_states(optimizer)
    assert held == ParamState({}, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-8})
    after, _ = differentiable_step(optimizer)(dead, gradient, *held)
    after.sum().backward()
    assert after.item() == 1.0 and gradient.grad.isfinite().all()


def test_no_step_ahead_is_the_plain_gan_bit_for_bit(tiny):
    """Whole runs, with Adam and batch norm: every digest of the chain, of both players."""
    found = []
    for overrides in (
        ["variant=unrolled_gan", "hyperparameters.unroll_steps=0"],
        ["variant=ns_gan"],
        ["variant=unrolled_gan", "hyperparameters.unroll_steps=1"],
    ):
        job = prepare_job(build.compose_config(tiny("d_steps=8", *overrides)))
        assert execute(job).status == "finished"
        found.append((job.folder.read_status()["digest"], job.folder.digests.read_text()))
    assert found[0] == found[1] and found[2][0] != found[0][0]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["optimizer=rmsprop"], "steps of RMSprop cannot be differentiated"),
        (
            ["+optimizer.discriminator.weight_decay=0.1"],
            "Adam with weight_decay cannot be differentiated",
        ),
        (["hyperparameters.unroll_steps=-1"], "unroll_steps is -1"),
        (["hyperparameters.unroll_steps=1.5"], "unroll_steps is 1.5"),
        (["loss=wgan", "+hyperparameters.weight_clip=0.01"], "constraint cannot be unrolled"),
    ],
)
def test_what_cannot_be_unrolled_is_one_sentence(overrides, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        build.build_model(build.compose_config(["variant=unrolled_gan", *overrides]))
    assert "\n" not in caught.value.message


def test_without_steps_ahead_any_optimizer_and_constraint_will_do():
    clipped = make_objective(*NONSATURATING, constraint=WeightClip(0.1))
    args = (mlp.generator([2], 2, width=2, depth=1), Slope(), clipped)
    opened(UnrolledGAN, *args, torch.optim.RMSprop, 0)
    assert issubclass(UnrolledGAN, GAN)
