"""Models in a stack are the models that they are alone, whoever else is there."""

import copy
from functools import cache

import pytest
import torch
from support import ROOT, SMALL, network_of

from bench.config import build, validate
from bench.core.batch import Batch
from bench.core.errors import UserError
from bench.core.parts import PLAYERS
from bench.data.batches import FRESH_STREAM, STREAM, iter_batch_indices, pick
from bench.models.base import usable_data
from bench.vectorized import trainer
from bench.vectorized.compatibility import pack_key, why_not_packable
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import build_empty_stack, train_on_batch, train_step

VARIANTS = sorted(p.stem for p in (ROOT / "conf/variant").glob("*.yaml"))
ALONE = {  # variants that cannot be packed, and why
    "historical_gan": "overrides the optimizer step",
    "lda": "overrides training_step",
    "qda": "overrides training_step",
    "naive_bayes": "overrides training_step",
}
MODELS = [  # a variant of each training round; the unrolled GAN has its own test, others are slow
    "began", "feature_matching", "flow_matching", "imle", "maximum_likelihood", "vae", "wgan_gp"
]  # fmt: skip
PACKED = [variant for variant in VARIANTS if variant not in ALONE]
BATCH, COUNT = 16, 90
EPS = ["optimizer.generator.eps=1e-4", "optimizer.discriminator.eps=1e-4"]
PLAIN = "hyperparameters.d_batch_norm=false"  # which is slow to trace
TOLERANCE = 1e-9  # of chaotic steps; float32 would be off by a million times as much
SETTINGS = [  # seed, learning rate, beta1, weight of whatever else a variant has of its own
    (0, 5e-4, 0.5, 0.3),
    (7, 2e-4, 0.0, 0.9),
    (2**40, 1e-4, 0.9, 0.6),
]


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@cache
def config(variant, place, dataset, *more):
    seed, rate, beta1, own = SETTINGS[place]
    chosen = [f"variant={variant}", f"dataset={dataset}"]
    groups = [m for m in more if m.startswith(("network=", "conditioning="))]
    known = build.compose_config([*chosen, *groups])  # anew: its names are read from the last one
    asks = {
        "learning_rate": rate,
        "beta1": beta1,
        "d_batch_norm": not known.penalty and known.names.normalisation == "none",
        "penalty_weight": 10 * own,
        "weight_clip": own / 10,
        "gamma": own,
        "k_rate": own / 100,
        "unroll_steps": 1 + (dataset == "digits"),
        "n_dis": 2,
    }
    given = [f"hyperparameters.{k}={v}" for k, v in asks.items() if k in known.hyperparameters]
    size = ["network.width=16"] if dataset == "ring" else SMALL[known.names.network]
    return build.compose_config([*chosen, f"seed={seed}", *given, *size, *more])


def made(variant, place=0, dataset="ring", *more):
    # with Adam's own eps a gradient that is rounding alone would move a weight by a whole rate
    eps = EPS if torch.get_default_dtype() == torch.float64 else []
    model = build.build_model(config(variant, place, dataset, *eps, *more))
    return model.to(torch.get_default_dtype())


def samples(dataset="ring"):
    shape = (2,) if dataset == "ring" else (1, 8, 8)
    return torch.rand(COUNT, *shape, generator=torch.Generator().manual_seed(3))


def labelled(dataset="ring"):
    """Return the samples in classes, which unconditional models do not see."""
    classes = 8 if dataset == "ring" else 10
    return Batch(samples(dataset), {"labels": torch.arange(COUNT) % classes})


def alone(model, steps, dataset="ring", watch=lambda model: None):
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers if len(optimizers) > 1 else optimizers[0]
    model.on_fit_start()
    seed, data = model.training_settings.seed, usable_data(labelled(dataset), model)
    model.learn_classes(data.labels)
    orders = [
        iter_batch_indices(COUNT, BATCH, seed, model.d_steps, steps, stream)
        for stream in (STREAM, FRESH_STREAM)
    ]
    for index, (rows, fresh) in enumerate(zip(*orders, strict=True)):
        batches = pick(data, rows), pick(data, fresh)
        model.training_step(batches if model.reads_fresh_real else batches[0], index)
    return model


def gradients(model):
    return [torch.cat([p.grad.flatten() for p in one.parameters()]) for one in model.players()]


def bits(model):
    return {name: tensor.numpy().tobytes() for name, tensor in model.state_dict().items()}


def stepped(stack, steps):
    for _ in range(steps):
        train_step(stack)
    return stack


def assert_each_is_itself(variant, dataset, steps, *more):
    places = range(len(SETTINGS))
    models = [made(variant, place, dataset, *more) for place in places]
    stack = stepped(ReplicaStack(models, labelled(dataset), BATCH), steps)
    for place in places:
        one, packed = alone(made(variant, place, dataset, *more), steps, dataset), models[place]
        assert (one.d_steps, one.g_steps) == (packed.d_steps, packed.g_steps)
        for name, value in one.state_dict().items():
            assert torch.allclose(
                value, packed.state_dict()[name], rtol=TOLERANCE, atol=TOLERANCE
            ), name
        assert one.losses.keys() == packed.losses.keys()
        for name, loss in one.losses.items():
            assert packed.losses[name].item() == pytest.approx(
                loss.item(), rel=TOLERANCE, abs=TOLERANCE
            )
        for player, gradient in enumerate(gradients(one)):
            row = stack.optimizers[place][player].param_groups[0]["params"][0]
            assert torch.allclose(row.grad, gradient, rtol=TOLERANCE, atol=TOLERANCE)
            assert row.grad.abs().max() > 0
        for name, opened in one.streams.items():
            assert torch.equal(opened.get_state(), packed.streams[name].get_state())


@pytest.mark.parametrize("variant", MODELS)
def test_in_float64_every_model_is_what_it_is_alone(double, variant):
    """Weights, buffers, gradients, losses and streams after 6 steps, of three replicas."""
    assert_each_is_itself(variant, "ring", 6, PLAIN)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["ring", "digits"])
@pytest.mark.parametrize("variant", PACKED)
def test_and_so_is_every_variant_after_fifty_steps_and_on_images(double, variant, dataset):
    if not network_of(variant, dataset):
        pytest.skip("for images alone")
    assert_each_is_itself(variant, dataset, 50)


@pytest.mark.parametrize(
    "more",
    [
        [PLAIN, "optimizer=rmsprop"],
        pytest.param(
            [PLAIN, "loss=wgan", "+hyperparameters.weight_clip=0.05"], marks=pytest.mark.slow
        ),
        ["ema=constant", "ema.rule.decay_rate=0.9"],
        [PLAIN, "hyperparameters.n_dis=5", "loss=wgan_fresh", "+hyperparameters.weight_clip=0.05"],
    ],
    ids=["rmsprop", "clipped", "averaged", "fresh latents"],
)
def test_so_it_is_with_other_optimizers_constraints_and_averages(double, more):
    assert_each_is_itself("ns_gan", "ring", 6, *more)


COSINE = "{_target_: bench.core.schedules.Cosine, start: 1e-3, end: 0, images: 64}"
G_RATE = f"optimizer.generator.lr={COSINE}"
LINEAR = "{_target_: bench.core.schedules.Linear, start: 5, end: 1, images: 64}"
RISING = "{_target_: bench.core.schedules.Linear, start: 0.5, end: 0.99, images: 64}"
FRESH = ["loss=rpgan", "update_order.fresh_real=true"]
PARTS = {  # dataset, overrides of ns_gan
    "pairs": ("ring", ["loss=rpgan"]),
    "averages": ("ring", ["loss=rahinge"]),
    "fresh real": ("ring", FRESH),
    "sum": ("ring", ["penalty=r1_r2"]),
    "lazy": ("ring", ["penalty=r1_lazy", "penalty.r1.interval=3"]),
    "state": ("ring", ["loss=hinge", "penalty=lecam"]),
    "path length": ("ring", ["penalty=path_length"]),
    "maximum": ("ring", ["penalty=maximum"]),
    "spectral": ("ring", ["normalisation=spectral"]),
    "spectral of biggan": ("ring", ["normalisation=spectral_biggan"]),
    "gradient": ("ring", ["normalisation=gradient"]),
    "generator first": ("ring", ["update_order=g_first", "hyperparameters.n_dis=3"]),
    "more latents": ("ring", ["update_order=d_first", "update_order.latent_batches=2"]),
    "half-life": ("ring", ["ema=half_life", "hyperparameters.n_dis=2"]),
    "rates": ("ring", [G_RATE, f"optimizer.discriminator.betas=[{RISING},0.9]"]),
    "weight": ("ring", ["penalty=r1", f"penalty.r1.weight={LINEAR}"]),
    "augmented": ("digits", ["augmentation=diffaugment"]),
    "augmented twice": ("digits", ["augmentation=diffaugment", "loss=wasserstein", "penalty=lp"]),
    "adaptive": ("digits", ["augmentation=adaptive", "augmentation.adaptive.images_to_full=200"]),
    "projection": ("ring", ["conditioning=projection"]),
    "classifier": ("ring", ["conditioning=acgan"]),
    "projection between": ("digits", ["conditioning=projection", "loss=wasserstein", "penalty=gp"]),
    "classifier augmented": ("digits", ["conditioning=acgan", "augmentation=diffaugment"]),
    "layer norm": ("ring", ["normalisation=layer", "hyperparameters.d_batch_norm=true"]),
    "weight norm": ("ring", ["normalisation=weight", "penalty=r1"]),
    "l2": ("ring", ["penalty=l2"]),
    "consistency": ("digits", ["consistency=bcr"]),
    "lazy, corrected": ("ring", ["penalty=r1_stylegan2", "penalty.r1.interval=3"]),
    "sphere": ("ring", ["prior=sphere"]),
    "all": ("digits", [
        *FRESH, "penalty=r1_r2", "penalty.r1.interval=2", f"penalty.r2.weight={LINEAR}",
        "augmentation=adaptive", "normalisation=spectral", "ema=half_life", "update_order=g_first",
        G_RATE, "hyperparameters.n_dis=2",
    ]),
}  # fmt: skip
QUICK_PARTS = (
    *("fresh real", "lazy", "state", "path length", "spectral", "rates"),
    *("projection", "classifier"),
)


@pytest.mark.parametrize("part", QUICK_PARTS)
def test_so_it_is_with_every_part_of_a_round(double, part):
    dataset, more = PARTS[part]
    assert_each_is_itself("ns_gan", dataset, 5, PLAIN, *more)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_and_so_it_is_with_every_part_after_fifty_steps(double, part):
    dataset, more = PARTS[part]
    assert_each_is_itself("ns_gan", dataset, 50, PLAIN, *more)


@pytest.mark.slow
def test_replicas_of_one_stack_may_be_at_other_steps_of_a_lazy_term(double):
    """The second is put into its slot two steps after the first: their lazy steps alternate."""
    more = [PLAIN, "penalty=r1_lazy", "penalty.r1.interval=3", f"penalty.r1.weight={LINEAR}"]
    models = [made("ns_gan", place, "ring", *more) for place in (0, 1)]
    stack = ReplicaStack([models[0], None], samples().double(), BATCH)
    stepped(stack, 2)
    stack.insert(1, models[1])
    stepped(stack, 7)
    for place, steps in ((0, 9), (1, 7)):
        one = alone(made("ns_gan", place, "ring", *more), steps)
        for name, value in one.state_dict().items():
            found = models[place].state_dict()[name]
            assert torch.allclose(value, found, rtol=TOLERANCE, atol=TOLERANCE), name


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(
            ["loss=wgan_gp", "hyperparameters.penalty_weight=1"],
            id="under a penalty",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [
                override
                for player in PLAYERS
                for override in (
                    f"optimizer.{player}._target_=torch.optim.SGD",
                    f"~optimizer.{player}.betas",
                    f"~optimizer.{player}.eps",
                )
            ],
            id="sgd",
        ),
    ],
)
def test_so_it_is_unrolled(double, more):
    """A step that is looked ahead draws numbers for its penalty; that of SGD has no moments."""
    assert_each_is_itself("unrolled_gan", "ring", 3, PLAIN, *more)


@pytest.mark.parametrize("old", [0, 1])
def test_so_it_is_unrolled_where_a_replicas_discriminator_has_not_moved_yet(double, old):
    """The generator moves first and looks ahead; the other slot's moments are there already."""
    more = [PLAIN, "update_order=g_first", "hyperparameters.unroll_steps=1"]
    models = [made("unrolled_gan", place, "ring", *more) for place in (0, 1)]
    slots = [None, None]
    slots[old] = models[old]
    stack = ReplicaStack(slots, samples().double(), BATCH)
    stepped(stack, 2)
    stack.insert(1 - old, models[1 - old])
    stepped(stack, 2)
    for place, model in enumerate(models):
        one = alone(made("unrolled_gan", place, "ring", *more), model.d_steps)
        for name, value in one.state_dict().items():
            found = model.state_dict()[name]
            assert torch.allclose(value, found, rtol=TOLERANCE, atol=TOLERANCE), name


def test_a_step_on_given_samples_is_the_step_on_its_own_batch():
    drawn, given = (
        ReplicaStack([made("ns_gan", 0, "ring", PLAIN)], samples(), BATCH) for _ in range(2)
    )
    for _ in range(3):
        train_step(drawn)
        train_on_batch(given, samples()[next(given.orders[0])][None])
    assert bits(drawn.models[0]) == bits(given.models[0])
    assert drawn.models[0].d_steps == given.models[0].d_steps == 3


@pytest.mark.parametrize(("variant", "why"), ALONE.items())
def test_what_cannot_be_packed_says_why(variant, why):
    model = made(variant)
    assert why in why_not_packable(model) and "\n" not in why_not_packable(model)
    with pytest.raises(ValueError, match="cannot be packed"):
        ReplicaStack([model], samples(), BATCH)


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("model.reuse_samples=true", "reuse_samples=true keeps a graph"),
        ("precision=bf16", "precision=bf16"),
        ("optimizer.generator._target_=torch.optim.Adafactor", "Adafactor"),
        ("optimizer.discriminator._target_=torch.optim.Adafactor", "Adafactor"),
    ],
)
def test_settings_that_cannot_be_packed_say_why(override, why):
    more = [override]
    if "Adafactor" in override:
        part, _, _ = override.partition("._target_")
        more += [f"~{part}.betas", f"~{part}.eps", f"~{part}.fused"]
    assert why in why_not_packable(made("ns_gan", 0, "ring", *more))


def test_a_replica_that_diverges_changes_no_bit_of_another():
    wild = "hyperparameters.learning_rate=1e30"
    ends = []
    stack = ReplicaStack([made("wgan_gp"), None, None], samples(), BATCH)
    stack.remove(0)
    for more in ([], [wild]):
        models = [made("wgan_gp", 0), made("wgan_gp", 1, "ring", *more), made("wgan_gp", 2)]
        for slot, model in enumerate(models):
            stack.insert(slot, model)
        stepped(stack, 12)
        ends.append([stack.remove(slot) for slot in range(3)])
    assert not ends[1][1].losses["d_loss"].isfinite()
    assert ends[0][1].losses["d_loss"].isfinite()
    for place in (0, 2):
        assert bits(ends[0][place]) == bits(ends[1][place])


def test_a_freed_slot_takes_another_model_whose_bits_do_not_know():
    """The next of the plan in a used stack: as in a fresh one, without a graph being traced."""
    stack = ReplicaStack([made("ns_gan", 1), made("ns_gan", 2)], samples(), BATCH)
    stepped(stack, 9)
    fresh = [stack.remove(slot) for slot in range(2)]
    for place in range(2):
        stack.insert(place, made("ns_gan", place))
    stepped(stack, 7)
    taken = stack.remove(1)
    kept = bits(taken)
    traced = [len(one.graphs) for one in stack.vmapped.traced.values()]
    stack.insert(1, made("ns_gan", 2))
    stepped(stack, 9)
    assert [len(one.graphs) for one in stack.vmapped.traced.values()] == traced
    assert bits(stack.models[1]) == bits(fresh[1])
    assert bits(taken) == kept and taken.d_steps == 7
    assert stack.models[0].d_steps == 16


@pytest.mark.parametrize("variant", ["wgan_gp", pytest.param("began", marks=pytest.mark.slow)])
def test_from_a_checkpoint_it_goes_on_to_the_same_bits(variant, tmp_path):
    through = [made(variant, 0), made(variant, 1)]
    stack = stepped(ReplicaStack(through, samples(), BATCH), 5)
    for slot in (0, 1):
        torch.save(stack.checkpoint(slot), tmp_path / f"{slot}.ckpt")
    assert (tmp_path / "0.ckpt").stat().st_size < 400_000  # of one replica, not of views of all
    stepped(stack, 6)
    again = [made(variant, 0), made(variant, 1)]
    for slot, model in enumerate(again):
        stack.remove(slot)
        content = torch.load(tmp_path / f"{slot}.ckpt", weights_only=True)
        model.load_state_dict(content["state_dict"])
        model.on_load_checkpoint(content)
        stack.insert(slot, model, content["optimizer_states"])
    stepped(stack, 6)
    for one, other in zip(through, again, strict=True):
        assert bits(one) == bits(other) and one.d_steps == other.d_steps == 11
        assert {n: v.item() for n, v in one.losses.items()} == {
            n: v.item() for n, v in other.losses.items()
        }


def test_replicas_at_different_steps_each_keep_their_own_turns(double):
    """n_dis = 3: one is put in after the other's step 4; generators are due at other times."""
    more = [
        PLAIN,
        "hyperparameters.n_dis=3",
        "loss=wgan_fresh",
        "+hyperparameters.weight_clip=0.05",
    ]
    first, second = (made("ns_gan", place, "ring", *more) for place in (0, 1))
    stack = stepped(ReplicaStack([first, None], samples(), BATCH), 4)
    stack.insert(1, second)
    stepped(stack, 11)
    for packed, place, steps in ((first, 0, 15), (second, 1, 11)):
        one = alone(made("ns_gan", place, "ring", *more), steps)
        assert (one.d_steps, one.g_steps) == (packed.d_steps, packed.g_steps)
        for name, value in one.state_dict().items():
            assert torch.allclose(
                value, packed.state_dict()[name], rtol=TOLERANCE, atol=TOLERANCE
            ), name
        for name, opened in one.streams.items():
            assert torch.equal(opened.get_state(), packed.streams[name].get_state())


def test_slots_that_are_not_odd_round_alike():
    slots = 5
    stack, odd = build_empty_stack(made("wgan_gp"), slots, samples(), BATCH)
    assert len(odd) < slots / 2
    for slot in range(slots):
        stack.insert(slot, made("wgan_gp"))
    stepped(stack, 20)
    alike = [bits(stack.models[slot]) for slot in range(slots) if slot not in odd]
    assert all(one == alike[0] for one in alike)


@pytest.mark.parametrize("what", ["a weight", "a loss"])
def test_an_odd_slot_is_found(monkeypatch, what):
    optimizer_step = ReplicaStack.optimizer_step

    def step_with_wrong_gradient(self, player, slot, gradient):
        optimizer_step(self, player, slot, gradient * (1 + 1e-3 * (slot == 2)))

    def step_with_wrong_loss(stack):
        train_step(stack)
        stack.losses["d_loss"][2] += 1

    if what == "a weight":
        monkeypatch.setattr(ReplicaStack, "optimizer_step", step_with_wrong_gradient)
    else:
        monkeypatch.setattr(trainer, "train_step", step_with_wrong_loss)
    stack, odd = build_empty_stack(made("ns_gan", 0, "ring", PLAIN), 4, samples(), BATCH)
    assert odd == [2] and stack.occupied == []


def test_what_a_stack_refuses():
    with pytest.raises(ValueError, match="at least one model"):
        ReplicaStack([None, None], samples(), BATCH)
    with pytest.raises(ValueError, match="both must be 1 or more"):
        ReplicaStack([made("ns_gan")], samples(), 0)
    stack = ReplicaStack([made("ns_gan"), None], samples(), BATCH)
    with pytest.raises(ValueError, match="slot 0 is occupied"):
        stack.insert(0, made("ns_gan"))
    with pytest.raises(ValueError, match="one architecture"):
        stack.insert(1, made("ns_gan", 0, "ring", "network.depth=1"))
    stack.remove(0)
    with pytest.raises(ValueError, match="the stack is empty"):
        train_step(stack)


def plain(*overrides):
    return validate.validate_config(
        build.compose_config(["variant=wgan_gp", "dataset=ring", *overrides])
    )


@pytest.mark.parametrize(
    ("override", "same"),
    [
        ("seed=5", True),
        ("hyperparameters.learning_rate=0.1", True),
        ("hyperparameters.beta1=0.25", True),
        ("hyperparameters.penalty_weight=3.5", True),
        ("penalty.gp.weight=0.5", True),
        (f"penalty.gp.weight={LINEAR}", True),
        ("optimizer.discriminator.lr=4e-4", True),
        ("optimizer.generator.betas=[0.0,0.9]", True),
        ("penalty.gp.interval=2", False),
        ("update_order=d_first", False),
        ("normalisation=spectral", False),
        ("runs_root=elsewhere", True),
        ("hyperparameters.n_dis=3", False),
        ("loss=wgan_lp", False),
        ("batch_size=32", False),
        ("d_steps=7", False),
        ("network.width=9", False),
        ("dataset=grid", False),
        ("optimizer.generator.eps=1e-7", False),
        ("optimizer.discriminator.eps=1e-7", False),
        ("optimizer.discriminator.lr=0.1", True),
        ("precision=tf32", False),
    ],
)
def test_runs_share_a_stack_where_they_differ_in_what_is_their_own(override, same):
    assert (pack_key(plain()) == pack_key(plain(override))) is same


def test_a_stack_takes_models_of_one_key_as_they_are_made():
    """What the key leaves out is read from each model: penalty weights of a pack differ."""
    models = [made("wgan_gp", place) for place in range(3)]
    stack = ReplicaStack(copy.copy(models), samples(), BATCH)
    weights = [model.objective.terms["gp"].weight for model in models]
    assert weights == [3.0, 9.0, 6.0]
    assert stack.hyperparameters["objective.terms.gp.weight"].tolist() == weights
    with pytest.raises(UserError, match="n_dis is 0"):
        made("wgan_gp", 0, "ring", "hyperparameters.n_dis=0")
