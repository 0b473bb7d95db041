"""Search spaces: the study's own configurations, and what no space may be."""

import csv
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from support import ROOT, SHARED

from bench.config import build
from bench.core.errors import UserError
from bench.sweeping.space import Range, draw, parse_range
from bench.sweeping.stages import parse_stages

FACTS = SHARED / "facts" / "created_equal_configs.csv"
THEIRS = {
    "beta1": "beta1",
    "learning_rate": "learning_rate",
    "n_dis": "disc_iters",
    "d_batch_norm": "discriminator_batchnorm",
    "weight_clip": "weight_clipping",
    "gamma": "gamma",
    "k_rate": "lambda",
    "penalty_weight": "lambda",
}


def stages_of(sweep: str) -> dict:
    cfg = build.compose_config([f"sweeps={sweep}"], keep_hydra=True)
    stages = OmegaConf.to_container(cfg.hydra.sweeper.stages)
    return {stage.name: stage for stage in parse_stages(stages)}


@pytest.mark.skipif(not FACTS.is_file(), reason="the study's configurations are not beside us")
@pytest.mark.parametrize(("name", "count", "values"), [("wide", 800, 3663), ("narrow", 400, 1813)])
def test_configurations_are_those_of_the_study(name, count, values):
    stage = stages_of(f"created_equal_{name}")[name]
    with open(FACTS, newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["range"] == name]
    assert len(rows) == count == sum(map(len, stage.configurations.values()))
    compared = 0
    for row in rows:
        variant, sample = row["model"].lower(), int(row["sample_id"])
        ours = stage.configurations[variant][sample]
        if sample == 0:  # the defaults: those of the variant's own config, or said in the sweep
            cfg = build.compose_config([f"variant={variant}", "preset=study"])
            ours = {**cfg.hyperparameters, **ours}
        else:
            compared += len(ours)
        for key, value in ours.items():
            theirs = row[THEIRS[key]]
            if isinstance(value, bool):
                assert str(value) == theirs, (row, key)
            else:
                assert value == pytest.approx(float(theirs), rel=1e-8), (row, key)
    assert compared == values


def test_a_single_value_takes_a_draw_too():
    """The second parameter of the second draw is the fourth number of Python's stream for 123."""
    spaces = {"v": {"a": Range("choice", (7,)), "b": Range("uniform", (0.0, 1.0))}}
    drawn = draw(spaces, samples=3, seed=123, order=["a", "b"], defaults={})["v"]
    assert drawn[0] == {}
    assert [d["a"] for d in drawn[1:]] == [7, 7]
    # the second and the fourth of 0.0524, 0.0872, 0.4072, 0.1077, the beginning of that stream
    assert [d["b"] for d in drawn[1:]] == [0.08718667752263232, 0.10770023493843905]


@given(st.floats(1e-6, 1e3), st.floats(1.001, 1e3), st.floats(0, 1, exclude_max=True))
def test_draws_stay_within_their_range(low, factor, number):
    high = low * factor
    for kind in ("uniform", "log_uniform"):
        value = Range(kind, (low, high)).at(number)
        assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
    middle = Range("log_uniform", (low, high)).at(0.5)
    assert middle == pytest.approx(math.sqrt(low * high), rel=1e-9)


@given(st.lists(st.integers(), min_size=1, unique=True), st.floats(0, 1, exclude_max=True))
def test_a_choice_is_one_of_its_values(values, number):
    assert Range("choice", tuple(values)).at(number) == values[int(number * len(values))]


@pytest.mark.parametrize(
    ("given_range", "sentence"),
    [
        ({"uniform": [1.0, 0.0]}, "is empty: from 1.0 to 0.0"),
        ({"uniform": [0.5, 0.5]}, "is empty"),
        ({"log_uniform": [0.0, 1.0]}, "logarithmic and begins at 0.0"),
        ({"choice": []}, "no choices"),
        ({"choice": [1, 5, 1]}, "a choice twice"),
        ({"choice": [[1]]}, "has the choice"),
        ({"normal": [0, 1]}, "normal"),
        ({"uniform": [0, "a"]}, "uniform"),
        ({"uniform": [0, float("inf")]}, "uniform"),
        ([0, 1], "range of beta1 is"),
        ({"uniform": [0, 1], "choice": [1]}, "range of beta1 is"),
    ],
)
def test_impossible_ranges_are_one_sentence(given_range, sentence):
    with pytest.raises(UserError, match="range of beta1") as caught:
        parse_range("beta1", given_range)
    assert sentence in caught.value.message and caught.value.fix


def test_true_and_one_are_two_choices():
    assert parse_range("x", {"choice": [True, 1]}).values == (True, 1)


STAGE = {"variants": ["ns_gan", "wgan"], "datasets": ["ring"], "seeds": [0]}
SPACE = {
    "samples": 3,
    "sampling": {"seed": 1, "order": ["beta1"]},
    "space": {"beta1": {"uniform": [0.0, 1.0]}},
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seeds": [0, 1, 0]}, "seeds has 0 twice"),
        ({"seeds": []}, "seeds is"),
        ({"seeds": [True]}, "seeds is"),
        ({"seeds": {"first": 0}}, "seeds is"),
        ({"variants": ["ns_gan", "ns_gan"]}, "has a name twice"),
        ({"variants": None}, "has no variants"),
        ({"dataset": ["ring"]}, "has dataset"),
        ({"samples": 0}, "samples is 0"),
        ({"samples": 3}, "no space"),
        ({**SPACE, "sampling": {"seed": 1}}, "sampling is"),
        ({**SPACE, "sampling": 3}, "sampling is 3"),
        ({**SPACE, "sampling": {"seed": 1, "order": []}}, "which `order` does not place"),
        ({**SPACE, "set": {"hyperparameters.beta1": 0.5}}, "both sets and draws beta1"),
        ({**SPACE, "table": [{"beta1": 0.5}]}, "both a table and a space"),
        ({"table": [{"beta1": 0.5}, {"beta1": 0.5}]}, "repeats one before"),
        ({"table": [{"variant": "wgan", "beta1": 0.5}]}, "no line for ns_gan"),
        ({"table": [{"variant": "vae"}]}, "the variant 'vae', which the stage has not"),
        ({"table": "nowhere.csv"}, "nowhere.csv"),
        ({"table": [3]}, "table is [3]"),
        ({"of_variant": {"vae": {}}}, "of_variant names vae"),
        ({"only": ["vae"]}, "only names vae"),
        ({"after": "earlier", "rule": {}}, "no stage before it"),
        ({"after": "earlier"}, "only one of after and rule"),
    ],
)
def test_impossible_stages_are_one_sentence(change, sentence):
    with pytest.raises(UserError) as caught:
        parse_stages({"s": {**STAGE, **change}})
    assert sentence in caught.value.message and caught.value.fix


@pytest.mark.parametrize(
    "rule", [{"name": "median", "score": "frechet", "checkpoint": "best"}, {"name": "lowest"}, 3]
)
def test_impossible_rules_are_one_sentence(rule):
    later = {"after": "s", "rule": rule, "seeds": [1]}
    with pytest.raises(UserError, match="stage 't': rule is"):
        parse_stages({"s": STAGE, "t": later})


def test_a_later_stage_draws_nothing_of_its_own():
    later = {"after": "s", "seeds": [1], "samples": 3}
    later["rule"] = {"name": "lowest", "score": "frechet", "checkpoint": "best"}
    with pytest.raises(UserError, match="draws its own too"):
        parse_stages({"s": STAGE, "t": later})


def test_a_table_is_read_from_a_file_and_cells_are_numbers(tmp_path):
    (tmp_path / "t.csv").write_text(
        "variant,beta1,n_dis,d_batch_norm\nns_gan,0.5,1,true\nwgan,,5,\n"
    )
    stage = parse_stages({"s": {**STAGE, "table": str(tmp_path / "t.csv")}})[0]
    assert stage.configurations == {
        "ns_gan": [{"beta1": 0.5, "n_dis": 1, "d_batch_norm": True}],
        "wgan": [{"n_dis": 5}],
    }
    (tmp_path / "t.csv").write_text("beta1\n0.5,1\n")
    with pytest.raises(UserError, match="more or fewer cells"):
        parse_stages({"s": {**STAGE, "table": str(tmp_path / "t.csv")}})


def test_null_takes_away_what_an_inherited_sweep_has():
    stage = stages_of("created_equal_seeds")["wide"]
    assert stage.datasets == ("mnist", "fashion_mnist", "cifar10", "celeba")
    assert stages_of("created_equal_optimizers")["wide"].variants == ("wgan",)
    both = stages_of("created_equal_optimizers"), stages_of("created_equal_wide")
    assert len({str(s["wide"].configurations["wgan"]) for s in both}) == 1


def test_the_digits_are_the_study_at_another_size():
    """Nine variants, defaults and 19 draws each; then ten seeds that the search has not seen."""
    stages = stages_of("created_equal_digits")
    assert {v: len(c) for v, c in stages["wide"].configurations.items()} == dict.fromkeys(
        ("ns_gan", "mm_gan", "wgan", "wgan_gp", "dragan", "vae", "lsgan", "began", "wgan_lp"), 20
    )
    assert len(stages["seeds"].seeds) == 10
    assert not set(stages["seeds"].seeds) & set(stages["wide"].seeds)
    assert (ROOT / "sweeps" / "created_equal_digits.yaml").is_file()


def test_the_first_configuration_of_a_variant_has_the_defaults_that_the_sweep_gives_it():
    change = {**SPACE, "of_variant": {"wgan": {"defaults": {"beta1": 0.25}}}}
    configurations = parse_stages({"s": {**STAGE, **change}})[0].configurations
    assert configurations["wgan"][0] == {"beta1": 0.25} and configurations["ns_gan"][0] == {}
    assert all(0 <= one["beta1"] <= 1 for one in configurations["wgan"][1:])
