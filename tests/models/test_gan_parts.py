"""Terms, state, transforms, orders and schedules of a GAN's round, against steps by hand."""

import math
from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
from torch import nn

from bench.core.batch import Batch
from bench.core.objective import Losses, Objective, Term, chain
from bench.core.schedules import Cosine, Linear
from bench.core.update_order import DiscriminatorFirst, GeneratorFirst, StudyOrder
from bench.losses import pairing, wasserstein
from bench.losses.least_squares import logit
from bench.models import priors
from bench.models.base import TrainingConfig
from bench.models.gan import GAN
from bench.models.moving_average import Constant, HalfLife, MovingAverage
from bench.models.optimizers import build_optimizer, lazy_adam
from bench.penalties import norms, sampling_points, weights
from bench.penalties.gradient import GradientPenalty
from bench.transforms.adaptive import Adaptive

SGD = partial(torch.optim.SGD, lr=0.1)
D = torch.float64
LOSSES = Losses(
    discriminator=wasserstein.discriminator_loss,
    generator=wasserstein.generator_loss,
    constraint=None,
    fresh_latent=False,
)
ORDER = StudyOrder(n_dis=1, latent_batches=1, fresh_real=False)
SLOPE = GradientPenalty(sampling_points.at_real, norms.zero_centred, logit, 0.0)
R1 = Term(penalty=SLOPE, weight=0.5, interval=1, player="discriminator")


class Line(nn.Module):
    """f(x) = w x + b on [B, 1]; b enters no slope."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.75))
        self.b = nn.Parameter(torch.tensor(0.25))

    def reset(self, generator):
        pass

    def forward(self, x):
        return self.w * x[:, 0] + self.b


class Point(nn.Module):
    """G(z) = theta."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(2.0))

    def reset(self, generator):
        pass

    def forward(self, latent):
        return self.theta.expand(len(latent), 1)


def objective(**changes):
    return Objective(
        **{"loss": LOSSES, "terms": {}, "transforms": {}, "update_order": ORDER, **changes}
    )


def gan(game, optimizer=SGD, ema=None, discriminator=None):
    optimizers = optimizer if isinstance(optimizer, dict) else None
    optimizers = optimizers or {"generator": optimizer, "discriminator": optimizer}
    training = TrainingConfig(priors.uniform, 1, optimizers, 4, 0, "32", ema)
    model = GAN(Point(), discriminator or Line(), game, False, False, training).double()
    made = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: made
    model.on_fit_start()
    return model


def step(model, x=0.5, fresh=None):
    real = Batch(torch.full((4, 1), x, dtype=D))
    batch = (real, Batch(torch.full((4, 1), fresh, dtype=D))) if fresh is not None else real
    model.training_step(batch, 0)
    return model


def test_a_lazy_term_is_a_step_of_its_own_interval_times_as_heavy():
    """Steps 0 and 3 have it: w -= lr (theta - x), then w -= lr 3 weight 2 w."""
    model = gan(objective(terms={"r1": replace(R1, interval=3)}))
    w, theta = 0.75, 2.0
    for number in range(4):
        step(model)
        w -= 0.1 * (theta - 0.5)
        if number % 3 == 0:
            w -= 0.1 * 3 * 0.5 * 2 * w
        theta -= 0.1 * -w
        assert model.discriminator.w.item() == pytest.approx(w, rel=1e-12)
        assert model.generator.theta.item() == pytest.approx(theta, rel=1e-12)


def test_in_a_lazy_step_what_the_term_does_not_touch_keeps_its_moments_moving():
    """b has no slope: its second Adam step has gradient 0, as under vmap, and is still one."""
    adam = partial(torch.optim.Adam, lr=0.1)
    model = step(gan(objective(terms={"r1": replace(R1, interval=2)}), adam))
    states = model.optimizers(False)[1].state
    assert {int(state["step"]) for state in states.values()} == {2}


def test_terms_add_up_in_the_order_of_their_names():
    """(theta - x) w + 0.5 w^2 + 2 |w - 1|^2 has the slope (theta - x) + w + 4 (w - 1)."""
    other = GradientPenalty(sampling_points.at_fake, norms.two_sided, logit, 0.0)
    two = Term(penalty=other, weight=2.0, interval=1, player="discriminator")
    game = objective(terms={"two": two, "one": R1})
    assert list(game.terms) == ["one", "two"]
    model = step(gan(game))
    slope = (2 - 0.5) + 0.75 + 4 * (0.75 - 1)
    assert model.discriminator.w.item() == pytest.approx(0.75 - 0.1 * slope, rel=1e-12)


@dataclass(frozen=True)
class Remember:
    """E[f(x)] m, where m is the mean of the fake scores of the last step."""

    initial_state = {"m": 3.0}

    def __call__(self, real_logits, fake_logits, state):
        return real_logits.mean() * state["m"], {"m": fake_logits.mean()}


def test_state_is_used_then_moved_and_is_a_buffer():
    term = Term(penalty=Remember(), weight=1.0, interval=1, player="discriminator")
    model = gan(objective(terms={"own": term}))
    assert model.state_dict()["part_state.of_own.m"].item() == 3.0
    fake_mean = 0.75 * 2 + 0.25
    step(model)
    # d/dw [w theta - w x + 3 (w x + b)]
    assert model.discriminator.w.item() == pytest.approx(0.75 - 0.1 * (2 - 0.5 + 3 * 0.5))
    assert model.state_dict()["part_state.of_own.m"].item() == pytest.approx(fake_mean)
    assert not model.part_state.of_own.m.requires_grad


def test_a_loss_gets_the_outputs_that_it_names_and_no_pass_that_it_does_not():
    seen = []

    class Twofold(Line):
        def forward(self, x):
            seen.append(x.detach().mean().item())
            return {"logits": super().forward(x), "square": self.w * x[:, 0].square()}

    def discriminator_loss(real_square, fake_logits):
        return fake_logits.mean() - real_square.mean()

    def generator_loss(fake_square):
        return fake_square.mean()

    losses = replace(LOSSES, discriminator=discriminator_loss, generator=generator_loss)
    model = gan(objective(loss=losses), discriminator=Twofold())
    step(model)
    w = 0.75 - 0.1 * (2 - 0.25)
    assert model.discriminator.w.item() == pytest.approx(w)
    assert model.generator.theta.item() == pytest.approx(2 - 0.1 * w * 4)
    assert seen == [0.5, 2.0, 2.0]  # D's step: real, fake; G's step: fake alone


def test_what_nobody_gives_is_one_sentence_before_the_first_step():
    def temperature_loss(real_logits, temperature):
        return real_logits.mean()

    with pytest.raises(ValueError, match=r"asks for 'temperature'; .*: see docs/extending.md"):
        replace(LOSSES, discriminator=temperature_loss)

    def class_loss(real_class_logits):
        return real_class_logits.mean()

    game = objective(loss=replace(LOSSES, discriminator=class_loss))
    with pytest.raises(ValueError, match="asks for real_class_logits, and this model's"):
        step(gan(game))
    with pytest.raises(ValueError, match="asks for real_class_logits, and this model's"):
        gan(game).check_parts(Batch(torch.full((2, 1), 0.5, dtype=D)))


def test_a_partial_of_a_function_with_state_has_its_state():
    def loss(real_logits, state, *, factor):
        return factor * real_logits.mean(), {"sum": state["sum"] + factor}

    loss.initial_state = {"sum": 1.0}
    model = gan(objective(loss=replace(LOSSES, discriminator=partial(loss, factor=2.0))))
    step(model)
    assert model.part_state.read()["discriminator"]["sum"].item() == 3.0


def test_a_lazy_term_of_the_generator_on_outputs_is_one_sentence():
    def lifted(fake_logits):
        return fake_logits.mean()

    with pytest.raises(ValueError, match="interval is 2, and a generator's term on outputs"):
        Term(penalty=lifted, weight=1.0, interval=2, player="generator")


@pytest.mark.parametrize(
    ("order", "players", "steps"),
    [
        (StudyOrder, ("discriminator", "generator"), [0, 1, 4, 7]),
        (DiscriminatorFirst, ("discriminator", "generator"), [2, 5, 8]),
        (GeneratorFirst, ("generator", "discriminator"), [0, 3, 6]),
    ],
)
def test_orders_move_the_generator_on_their_steps(order, players, steps):
    rule, g_steps, found = order(n_dis=3, latent_batches=1, fresh_real=False), 0, []
    for d_steps in range(9):
        if rule.generator_is_due(d_steps, g_steps):
            found.append(d_steps)
            g_steps += 1
    assert found == steps and rule.players == players


def test_the_generator_first_meets_the_discriminator_before_its_step():
    model = step(
        gan(objective(update_order=GeneratorFirst(n_dis=1, latent_batches=1, fresh_real=False)))
    )
    theta = 2 + 0.1 * 0.75
    assert model.generator.theta.item() == pytest.approx(theta)
    assert model.discriminator.w.item() == pytest.approx(0.75 - 0.1 * (theta - 0.5))


def test_a_fresh_real_batch_is_the_generators_alone():
    """Pairing loss: dL_G/dtheta = -w sigmoid(f(x') - f(theta))."""
    losses = replace(
        LOSSES, discriminator=pairing.discriminator_loss, generator=pairing.generator_loss
    )
    model = gan(objective(loss=losses, update_order=replace(ORDER, fresh_real=True)))
    assert model.reads_fresh_real
    step(model, 0.5, fresh=-1.0)
    w = model.discriminator.w.item()
    slope = -w / (1 + math.exp(-(w * (-1 - 2))))
    assert model.generator.theta.item() == pytest.approx(2 - 0.1 * slope, rel=1e-12)


def test_more_latents_for_the_generator_are_refused_to_a_loss_of_pairs():
    losses = replace(LOSSES, generator=pairing.generator_loss)
    order = DiscriminatorFirst(n_dis=1, latent_batches=2, fresh_real=False)
    with pytest.raises(ValueError, match="2 batches of latents.*pairs"):
        gan(objective(loss=losses, update_order=order))


def test_rates_betas_and_weights_follow_the_images_seen():
    """Batches of 4: before step n, 4 n images; a schedule over 16 ends at step 4."""
    rate, beta = Cosine(0.4, 0.0, 16), Linear(0.5, 0.9, 16)
    optimizers = {
        "generator": SGD,
        "discriminator": partial(torch.optim.Adam, lr=rate, betas=(beta, 0.999)),
    }
    weighted = replace(R1, weight=Linear(8.0, 0.0, 8))
    model = gan(objective(terms={"r1": weighted}), optimizers)
    for n in range(5):
        w, theta = model.discriminator.w.item(), model.generator.theta.item()
        step(model)
        (group,) = model.optimizers(False)[1].param_groups
        share = min(n / 4, 1)
        assert group["lr"] == pytest.approx(0.2 * (1 + math.cos(math.pi * share)), abs=1e-12)
        assert group["betas"] == pytest.approx((0.5 + 0.4 * share, 0.999))
        weight = 8 * (1 - min(n / 2, 1))
        loss = w * theta + 0.25 - (w * 0.5 + 0.25) + weight * w**2
        assert model.losses["d_loss"].item() == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize(
    ("rule", "decays"),
    [
        (Constant(0.75, 0), [0, 0.75, 0.75]),
        (Constant(0.75, 12), [0, 0, 0.75]),  # after 4, 8 and 12 images
        (HalfLife(8, None, 0), [0, 0.5**0.5, 0.5**0.5]),
        (HalfLife(8, 0.5, 0), [0, 0.5 ** (4 / 4), 0.5 ** (4 / 6)]),
    ],
)
def test_the_average_follows_its_rule_in_images(rule, decays):
    model = gan(objective(), ema=MovingAverage(rule, copy_buffers=False))
    average = None
    for decay in decays:
        step(model)
        now = model.generator.theta.item()
        average = now if average is None else decay * average + (1 - decay) * now
        assert model.sampled_generator().theta.item() == pytest.approx(average, rel=1e-12)


def test_images_since_the_last_average_count_all_steps_in_between():
    order = DiscriminatorFirst(n_dis=3, latent_batches=1, fresh_real=False)
    rule = HalfLife(12, None, 0)
    model = gan(objective(update_order=order), ema=MovingAverage(rule, copy_buffers=True))
    values = []
    for _ in range(6):
        step(model)
        values.append(model.generator.theta.item())
    expected = 0.5 * values[2] + 0.5 * values[5]  # 12 images from one to the next
    assert model.sampled_generator().theta.item() == pytest.approx(expected, rel=1e-12)


def test_a_chain_keeps_the_order_of_the_groups_and_one_transform_of_each():
    first, second = object(), object()
    assert list(chain([{"b": first}, {}, {"a": second}])) == ["b", "a"]
    with pytest.raises(ValueError, match="a and b are transforms of one config group"):
        chain([{"b": first, "a": second}])
    with pytest.raises(ValueError, match="two transforms are called 'a': rename one"):
        chain([{"a": first}, {"a": second}])


class Shift:
    """x + u for both players."""

    random_inputs = {"shift": sampling_points.RandomInput("uniform", "sample")}

    def __call__(self, critic):
        return lambda batch: critic(
            batch._replace(samples=batch.samples + batch.draws["shift"][:, None])
        )


def test_transforms_draw_from_a_stream_of_their_own_and_a_set_for_each_side():
    model, plain = gan(objective(transforms={"own": Shift()})), gan(objective())
    stream = torch.Generator().manual_seed(0)
    stream.set_state(model.streams["transforms"].get_state())
    real, fake, _, again = (torch.rand(4, generator=stream, dtype=D).mean() for _ in range(4))
    step(model)
    step(plain)
    w = 0.75 - 0.1 * float(2 + fake - 0.5 - real)
    assert model.discriminator.w.item() == pytest.approx(w, rel=1e-12)
    assert model.generator.theta.item() == pytest.approx(2 + 0.1 * w, rel=1e-12)
    for name in ("latent", "draws"):
        assert torch.equal(model.streams[name].get_state(), plain.streams[name].get_state())
    assert "transforms" not in plain.streams


def test_a_transform_that_follows_real_scores_is_refused_where_no_loss_sees_them():
    follower = Adaptive([], target=0.6, images_to_full=100, interval=1)

    def fake_alone(fake_logits):
        return fake_logits.mean()

    with pytest.raises(ValueError, match="'own' follows the discriminator on real samples"):
        objective(transforms={"own": follower}, loss=replace(LOSSES, discriminator=fake_alone))
    assert objective(transforms={"own": follower}).initial_state["own"]["p"] == 0.0


def test_a_term_on_weights_is_added_to_its_players_loss():
    """0.5 w^2 / 2 is the L2 term of D(x) = w x + b: b is no matrix, w is one of one entry."""

    class Wide(Line):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([[0.75]]))

        def forward(self, x):
            return (x @ self.w.T)[:, 0] + self.b

    losses = {}
    for weight in (0.0, 0.5):
        term = Term(penalty=weights.l2, weight=weight, interval=1, player="discriminator")
        game = objective(terms={"l2": term})
        assert term.reads_weights and not term.differentiates_critic
        model = gan(game, discriminator=Wide())
        step(model)
        losses[weight] = model.losses["d_loss"].item()
    assert losses[0.5] - losses[0.0] == pytest.approx(0.5 * 0.75**2 / 2, rel=1e-12)
    with pytest.raises(ValueError, match="interval is 2: a term on weights is taken always"):
        Term(penalty=weights.l2, weight=1.0, interval=2, player="discriminator")


def test_adam_under_a_lazy_penalty_is_corrected_and_refuses_schedules():
    """c = 16 / 17: rate 0.001 c, betas 0.5^c and 0.99^c."""
    make = partial(lazy_adam, lr=1e-3, betas=(0.5, 0.99), interval=16, eps=1e-8, fused=False)
    (group,) = build_optimizer(make, [torch.zeros(1, requires_grad=True)], 0).param_groups
    assert group["lr"] == pytest.approx(1e-3 * 16 / 17, rel=1e-12)
    assert group["betas"] == pytest.approx((0.5 ** (16 / 17), 0.99 ** (16 / 17)), rel=1e-12)
    rising = partial(make, lr=Linear(start=0.0, end=1.0, images=10))
    with pytest.raises(ValueError, match="lr is corrected for a lazy penalty, which a schedule"):
        build_optimizer(rising, [torch.zeros(1, requires_grad=True)], 0)
