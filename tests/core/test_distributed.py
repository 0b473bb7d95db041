"""Two processes against one with the same batch: the same numbers, from every variant."""

import pytest
import team
import torch
from support import SMALL, VARIANTS, network_of

from bench.config import build, validate
from bench.core import distributed

POINTS = ["dataset=ring", *SMALL["mlp"]]
DIGITS = ["dataset.shape=[1,8,8]", "dataset=digits"]
IMAGES = [*DIGITS, *SMALL["infogan"]]
UNNORMED = ("wgan_gp", "wgan_lp")  # whose discriminators have batch norm only where they are told
QUICK = "dragan on images"  # batch norm under a gradient penalty
FAST = (
    "began",
    "acgan",
    "flow_matching",
    "maximum_likelihood",
    "vae",
    "wgan",
    "wgan_gp",
    "lda",
)  # the others are slow
STEEP = ["penalty.lp.penalty.of._target_=team.steep", "hyperparameters.penalty_weight=0.01"]
MOVING = ["ema=constant", "ema.rule.decay_rate=0.75"]
FURTHER = {  # losses that no variant names
    "dragan_gaussian": ["variant=dragan"],
    "dragan_v2": ["variant=dragan"],
    "nonsaturating_smoothed": ["variant=ns_gan"],
    "nonsaturating_r1": ["variant=wgan_gp"],
    "nonsaturating_r2": ["variant=wgan_gp"],
    "wgan_gp_exact": ["variant=wgan_gp"],
    "wgan_fresh": ["variant=wgan"],
    "began_clipped": ["variant=began"],
}


PARTS = {  # of a round: overrides of ns_gan on points
    "pairs": ["loss=rpgan"],
    "fresh real": ["loss=rpgan", "update_order.fresh_real=true"],
    "averages": ["loss=ragan"],
    "hinged averages": ["loss=rahinge"],
    "lecam": ["loss=hinge", "penalty=lecam"],
    "lazy": ["penalty=r1_lazy", "penalty.r1.interval=3", "hyperparameters.penalty_weight=0.01"],
    "sum": ["penalty=r1_r2"],
    "maximum": ["penalty=maximum", "hyperparameters.penalty_weight=0.01"],
    "path length": ["penalty=path_length", "hyperparameters.penalty_weight=0.01"],
    "spectral": ["normalisation=spectral"],
    "gradient": ["normalisation=gradient"],
    "generator first": ["update_order=g_first", "hyperparameters.n_dis=2"],
    "more latents": ["update_order=d_first", "update_order.latent_batches=2"],
    "half-life": ["ema=half_life"],
    "l2": ["penalty=l2"],
    "weight norm": ["normalisation=weight"],
    "classes between": ["conditioning=projection", "loss=wasserstein", "penalty=gp"],
}
AUGMENTED = ["augmentation=adaptive", "augmentation.adaptive.images_to_full=100"]


def on_points() -> dict[str, list[str]]:
    """Networks without batch norm: every variant, and losses that none of them names."""
    plain = [*POINTS, "hyperparameters.d_batch_norm=false"]
    fit = [variant for variant in VARIANTS if network_of(variant, "ring")]
    variants = {f"{variant} on points": [f"variant={variant}", *plain] for variant in fit}
    losses = {
        f"loss {loss}": [*variant, f"loss={loss}", *plain] for loss, variant in FURTHER.items()
    }
    variants["wgan_lp on points"] += STEEP
    parts = {f"part {name}": ["variant=ns_gan", *more, *plain] for name, more in PARTS.items()}
    # each process's penalty sees the points of both, and the layer gathers rows of its own
    coupled = ["variant=minibatch_gan", *PARTS["maximum"], "model.batch_norm_under_penalty=true"]
    return variants | losses | parts | {"a maximum over minibatch outputs": [*coupled, *plain]}


def on_points_fast() -> dict[str, list[str]]:
    """The cases of points that are not slow."""
    names = {*(f"{variant} on points" for variant in FAST), "loss wgan_gp_exact", "part lecam"}
    return {name: case for name, case in on_points().items() if name in names}


def slow_cases() -> dict[str, list[str]]:
    """All that is not in the fixture `shared`."""
    fast = {*on_points_fast(), QUICK}
    return {name: case for name, case in (on_points() | on_images()).items() if name not in fast}


def on_images() -> dict[str, list[str]]:
    """Batch norm in generators always, in discriminators where the variant has it, and more."""
    more = ["hyperparameters.d_batch_norm=true", "model.batch_norm_under_penalty=true"]
    more.append("hyperparameters.penalty_weight=0.01")  # plain descent bears no more
    sizes = {name: SMALL[network_of(name, "digits")] for name in VARIANTS}
    variants = {
        f"{name} on images": [f"variant={name}", *DIGITS, *sizes[name], *MOVING]
        for name in VARIANTS
    }
    normed = {f"{name}, D normed": [f"variant={name}", *IMAGES, *more] for name in UNNORMED}
    augmented = ["variant=ns_gan", *IMAGES, *AUGMENTED, "penalty=lp", "loss=wasserstein"]
    augmented.append("hyperparameters.penalty_weight=0.01")
    return variants | normed | {"augmented under a penalty on images": augmented}


def plain_of(cases: dict[str, list[str]]) -> dict[str, dict]:
    return {name: validate.to_plain(build.compose_config(case)) for name, case in cases.items()}


def slow(case: str):
    return pytest.param(case, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Of two processes: few cases of points, one of images, it without synchronising, helpers."""
    plain, few = plain_of(on_points_fast()), plain_of({QUICK: on_images()[QUICK]})
    jobs = [
        (team.train_all, plain | few),
        (team.train_all, few, False),
        (team.distributed_results,),
    ]
    found = team.run_in_two_processes(tmp_path_factory.mktemp("two"), *jobs)
    return team.train_all(plain | few), *found


@pytest.fixture(scope="module")
def few(shared):
    alone, first, second = shared
    return alone, first[0], second[0]


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    plain = plain_of(slow_cases())
    first, second = team.run_in_two_processes(
        tmp_path_factory.mktemp("two"), (team.train_all, plain)
    )
    return team.train_all(plain), first[0], second[0]


@pytest.mark.parametrize("case", [*on_points_fast(), QUICK, *map(slow, slow_cases())])
def test_two_processes_train_as_one(case, request):
    """The same weights, averages, controller, streams and losses after steps of both players."""
    both = request.getfixturevalue("others" if case in slow_cases() else "few")
    alone, first, second = (found[case] for found in both)
    assert alone["counts"] == first["counts"] == second["counts"]
    assert alone["counts"][0] == team.STEPS and alone["counts"][1] >= 4
    # |differences| of all pairs bend at 0: there rounding, of some processors, grows tenfold
    rtol, atol = (1e-8, 1e-11) if "minibatch" in case else (1e-9, 1e-12)
    moved = 0
    for name, expected in alone["state"].items():
        assert torch.equal(first["state"][name], second["state"][name]), name
        assert expected.isfinite().all(), name
        torch.testing.assert_close(
            first["state"][name], expected, rtol=rtol, atol=atol, msg=lambda m, n=name: f"{n}: {m}"
        )
        moved += not torch.allclose(expected, alone["before"][name], rtol=1e-6, atol=0)
    assert moved > len(alone["state"]) / 2
    for name, expected in alone["losses"].items():
        torch.testing.assert_close(first["losses"][name], expected, rtol=1e-9, atol=1e-12)
    for name, expected in alone["streams"].items():
        assert torch.equal(first["streams"][name], expected)
        assert torch.equal(second["streams"][name], expected)


def test_batch_norm_per_process_is_something_else(shared):
    """Each share has a mean of its own: other weights, and still the same in both processes."""
    alone, first, second = shared[0][QUICK], *(found[1][QUICK] for found in shared[1:])
    weight = "discriminator.dense.weight"
    assert torch.equal(first["state"][weight], second["state"][weight])
    assert not torch.allclose(first["state"][weight], alone["state"][weight], rtol=1e-6, atol=0)


def test_what_the_processes_tell_each_other(shared):
    rows = torch.arange(6.0).reshape(6, 1)
    for rank, (_, _, found) in enumerate(shared[1:]):
        assert found["place"] == [rank, 2]
        assert torch.equal(found["share"], rows[3 * rank : 3 * rank + 3])
        assert found["gathered"].flatten().tolist() == [0, 1, 2, 103, 104, 105]
        assert found["mean"].tolist() == [1.5, 4.5] and found["other"].item() == 5
        assert found["agreed"] == [True, False]
        assert torch.equal(found["apart"], rows)
        # sum over processes of (r + 1) s^3 at s = 5: derivatives 3 * 3 * 25 and 2 * 3 * 6 * 5
        assert found["total"] == [(rank + 1) * 125, 225, 180, 225]


def test_alone_everything_is_itself():
    rows = torch.rand(3, 2)
    assert (distributed.rank(), distributed.world_size()) == (0, 1)
    assert distributed.shard(rows) is rows and distributed.all_gather(rows) is rows
    assert (
        distributed.all_reduce_sum(rows) is rows
        and distributed.any_rank(True)
        and not distributed.any_rank(False)
    )


def test_rows_that_cannot_be_shared_out_are_refused(monkeypatch):
    monkeypatch.setattr(distributed, "_size", 2)
    with pytest.raises(ValueError, match="3 rows .* among 2"):
        distributed.shard(torch.rand(3, 2))
