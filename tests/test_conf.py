"""Every entry of conf/ is found by listing and trained for one round."""

import itertools
from functools import cache
from os.path import commonprefix

import pytest
import team
import torch
from omegaconf import OmegaConf
from support import ROOT, SMALL, network_of

from bench.config import build, validate
from bench.core.errors import Caution, UserError
from bench.data.stored import StoredDataset
from bench.execution.run import execute
from bench.training.job import prepare_job

CONF = ROOT / "conf"


def entries(group: str) -> list[str]:
    return sorted(p.stem for p in (CONF / group).glob("*.yaml"))


VARIANTS, LOSSES = entries("variant"), entries("loss")


@cache
def loss_of(variant: str) -> str:
    """Return the name of a variant's loss."""
    defaults = OmegaConf.load(CONF / "variant" / f"{variant}.yaml").defaults
    return next(entry["override /loss"] for entry in defaults if "override /loss" in entry)


@cache
def variant_for(loss: str) -> str:
    """Return a variant without labels whose model and hyperparameters suit a loss: its own, or any.

    Variants of losses that begin like it are tried first.
    """
    for variant in sorted(VARIANTS, key=lambda name: -len(commonprefix([loss_of(name), loss]))):
        try:
            chosen = build.compose_config([f"variant={variant}", f"loss={loss}"])
            validate.validate_config(chosen)
            if not build.build_model(chosen).conditional:
                return variant
        except (UserError, AttributeError):
            continue
    raise AssertionError(f"no variant can use loss {loss}")


def train(tiny, *overrides: str, network: str = "infogan") -> dict:
    cfg = build.compose_config(tiny(*overrides, network=network))
    cfg.score.metrics = {"frechet": cfg.score.metrics.frechet}  # every protocol has its own test
    job = prepare_job(cfg)
    outcome = execute(job)
    assert outcome.status == "finished", outcome.cause
    assert outcome.row.scores["frechet"] > 0
    return job.folder.read_status()


@pytest.mark.parametrize("dataset", [pytest.param("digits", marks=pytest.mark.slow), "ring"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_trains_and_repeats_bit_for_bit(tiny, tmp_path, variant, dataset):
    network = network_of(variant, dataset)
    if not network:
        with pytest.raises(UserError, match="changes images, and this data set holds points"):
            train(tiny, f"variant={variant}", f"dataset={dataset}", network="mlp")
        return
    runs = [
        train(
            tiny,
            f"variant={variant}",
            f"dataset={dataset}",
            "d_steps=7",
            f"runs_root={tmp_path / str(turn)}",
            network=network,
        )
        for turn in range(2)
    ]
    assert runs[0]["digest"] == runs[1]["digest"]
    assert runs[0]["d_steps"] == 7 and runs[0]["images"] == 7 * 64


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(tiny, loss):
    """From config to row; `test_no_two_losses_compute_the_same` takes ten steps with each."""
    train(
        tiny, f"variant={variant_for(loss)}", f"loss={loss}", "hyperparameters.d_batch_norm=false"
    )


def weights_after_ten_steps(loss: str) -> str:
    """Return the generator's weights after 10 steps on colour noise, as bytes in hex."""
    chosen = ["preset=study", f"variant={variant_for(loss)}", f"loss={loss}", "network=infogan"]
    cfg = build.compose_config(chosen)
    wanted = {"d_batch_norm": False, "beta1": 0.5, "learning_rate": 0.01}
    cfg.hyperparameters.update({k: v for k, v in wanted.items() if k in cfg.hyperparameters})
    cfg.dataset.shape = [3, 8, 8]
    for setting in SMALL["infogan"]:  # to change a config is cheaper than to compose another
        key, _, value = setting.partition("=")
        OmegaConf.update(cfg, key, int(value))
    # wide weights: near 0 all hinges are linear, all slopes below 1, and Adam sees no factor of 2
    OmegaConf.update(cfg, "network.std", 0.5)
    model = build.build_model(cfg)
    model.fit_to_data(team.random_split(cfg))
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers if len(optimizers) > 1 else optimizers[0]
    model.on_fit_start()
    noise = torch.Generator().manual_seed(0)
    for step in range(10):
        real = torch.rand(16, 3, 8, 8, generator=noise)
        model.training_step((real, real) if model.reads_fresh_real else real, step)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    return b"".join(p.detach().numpy().tobytes() for p in model.generator.parameters()).hex()


def test_no_two_losses_compute_the_same():
    weights = {loss: weights_after_ten_steps(loss) for loss in LOSSES}
    pairs = itertools.combinations(LOSSES, 2)
    assert not [pair for pair in pairs if weights[pair[0]] == weights[pair[1]]]


PRESETS = sorted(
    (path.parent.parent.name, path.parent.name, path.stem)
    for path in (ROOT / "conf/preset/variant").glob("*/*/*.yaml")
)


@pytest.mark.parametrize(("preset", "dataset", "variant"), PRESETS)
def test_every_preset_of_a_variant_trains(tiny, preset, dataset, variant):
    """At the small size, its own numbers of steps and widths aside; MNIST is only built."""
    chosen = [f"preset={preset}", f"dataset={dataset}", f"variant={variant}"]
    cfg = build.compose_config(chosen)
    data = OmegaConf.load(ROOT / f"conf/preset/data/{preset}/{dataset}.yaml")
    own = OmegaConf.load(ROOT / f"conf/preset/variant/{preset}/{dataset}/{variant}.yaml")
    numbers = OmegaConf.merge(data, own)
    assert cfg.d_steps == numbers.d_steps and cfg.names.preset == preset
    assert numbers.hyperparameters.items() <= cfg.hyperparameters.items()
    if isinstance(build.build_source(cfg), StoredDataset):
        assert build.build_model(cfg).parameters()
    else:
        train(tiny, *chosen, network=cfg.names.network)


def test_a_preset_without_numbers_for_the_data_says_so(tiny):
    words = tiny("preset=quick", "dataset=grid", network="mlp")
    with pytest.warns(Caution, match="preset quick has no numbers for variant 'ns_gan' on grid"):
        job = prepare_job(build.compose_config(words))
    assert job.plain["hyperparameters"]["learning_rate"] == 5e-5  # the study's


@pytest.mark.parametrize("penalty", entries("penalty"))
def test_every_penalty_trains_beside_a_loss_that_names_none(tiny, penalty):
    """Batch norm, which most penalties bear not, is left out by what the penalty needs."""
    chosen = ["variant=hinge_gan", "dataset=ring", f"penalty={penalty}"]
    train(tiny, *chosen, "d_steps=7", network="mlp")


@pytest.mark.parametrize("order", entries("update_order"))
def test_every_order_of_updates_trains(tiny, order):
    """Of 7 steps with n_dis = 2 the generator moves on 0, 1, 3, 5; on 1, 3, 5; or on 0, 2, 4, 6."""
    chosen = ["dataset=ring", f"update_order={order}", "hyperparameters.n_dis=2", "d_steps=7"]
    g_steps = train(tiny, *chosen, network="mlp")["g_steps"]
    assert g_steps == {"study": 4, "d_first": 3, "g_first": 4}[order]


@pytest.mark.parametrize("ema", entries("ema"))
def test_every_moving_average_trains(tiny, ema):
    train(tiny, "dataset=ring", f"ema={ema}", network="mlp")


@pytest.mark.parametrize("augmentation", entries("augmentation"))
def test_every_augmentation_trains(tiny, augmentation):
    train(tiny, f"augmentation={augmentation}")


@pytest.mark.parametrize("consistency", entries("consistency"))
def test_every_consistency_trains(tiny, consistency):
    train(tiny, f"consistency={consistency}")


@pytest.mark.parametrize("choice", [*entries("conditioning"), *entries("prior")])
def test_every_conditioning_and_prior_trains(tiny, choice):
    group = "prior" if choice in entries("prior") else "conditioning"
    train(tiny, "dataset=ring", f"{group}={choice}", network="mlp")


@pytest.mark.parametrize("normalisation", entries("normalisation"))
def test_every_normalisation_trains(tiny, normalisation):
    train(tiny, "dataset=ring", f"normalisation={normalisation}", network="mlp")


PENALTY_PRESETS = sorted(
    path.relative_to(ROOT / "conf/preset/penalty").with_suffix("").parts
    for path in (ROOT / "conf/preset/penalty").rglob("*.yaml")
)


@pytest.mark.parametrize(("preset", "dataset", "variant", "penalty"), PENALTY_PRESETS)
def test_every_preset_of_a_penalty_is_that_penaltys_alone(preset, dataset, variant, penalty):
    """A variant trained with another penalty has that penalty's number, not its usual one's."""
    folder = ROOT / "conf/preset/penalty" / preset / dataset / variant
    own = OmegaConf.load(folder / f"{penalty}.yaml").hyperparameters
    chosen = [f"preset={preset}", f"dataset={dataset}", f"variant={variant}"]
    usual = build.compose_config(chosen)
    assert list(usual.penalty) == [penalty] and own.items() <= usual.hyperparameters.items()
    r1 = build.compose_config([*chosen, "penalty=r1"]).hyperparameters
    assert (r1.penalty_weight, r1.d_batch_norm) == (5.0, False)


@pytest.mark.parametrize("group", ["penalty", "normalisation"])
def test_what_an_entry_needs_belongs_to_an_entry(group):
    """An optional default of a misspelt file would be left out without a word."""
    assert set(entries(f"{group}/needs")) <= set(entries(group))


@pytest.mark.parametrize(("variant", "optimizer", "numbers"), [
    ("wgan", {"_target_": "torch.optim.RMSprop", "lr": 5e-5}, {"weight_clip": 0.01, "n_dis": 5}),
    ("wgan_gp", {"betas": [0.0, 0.9], "lr": 1e-4}, {"penalty_weight": 10.0, "n_dis": 5}),
    ("began", {"lr": 1e-4}, {"gamma": 0.5, "k_rate": 1e-3}),
])  # fmt: skip
def test_the_papers_own_numbers_train(tiny, variant, optimizer, numbers):
    """As in the algorithm box of each paper; of Adam's keys none is left in RMSProp."""
    chosen = ["preset=paper", "dataset=ring", f"variant={variant}"]
    plain = validate.validate_config(build.compose_config(chosen))
    for settings in plain["model"]["training"]["optimizers"].values():
        assert optimizer.items() <= settings.items()
    assert numbers.items() <= plain["hyperparameters"].items()
    assert plain["batch_size"] == {"began": 16}.get(variant, 64)
    train(tiny, *chosen, network="mlp")


def test_papers_are_listed_by_variant_and_the_others_say_so(tiny):
    assert set(entries("preset/any_data/paper")) == {"wgan", "wgan_gp", "began"} <= set(VARIANTS)
    words = tiny("preset=paper", "variant=dragan", "dataset=ring", network="mlp")
    with pytest.warns(Caution, match="preset paper has no numbers for variant 'dragan' on ring"):
        job = prepare_job(build.compose_config(words))
    assert job.plain["hyperparameters"]["penalty_weight"] == 10.0  # the study's


def test_an_optimizer_that_the_preset_replaces_is_refused(tiny):
    words = ["preset=paper", "variant=wgan", "dataset=ring"]
    with pytest.raises(UserError, match="optimizer=adam changes nothing: preset paper sets"):
        prepare_job(build.compose_config(tiny(*words, "optimizer=adam", network="mlp")))
    prepare_job(build.compose_config(tiny(*words, "optimizer=rmsprop", network="mlp")))


@pytest.mark.parametrize("optimizer", entries("optimizer"))
def test_every_optimizer_trains(tiny, optimizer):
    train(tiny, "variant=wgan", f"optimizer={optimizer}")


@pytest.mark.parametrize("network", entries("network"))
def test_every_network_trains(tiny, network):
    dataset = {"image": "digits", "points": "ring"}[
        build.compose_config([f"network={network}"]).network.family
    ]
    train(tiny, f"network={network}", f"dataset={dataset}", network=network)


@pytest.mark.parametrize("dataset", entries("dataset"))
def test_every_generated_dataset_trains(tiny, tmp_path, dataset):
    cfg = build.compose_config([f"dataset={dataset}"])
    if isinstance(build.build_source(cfg), StoredDataset):
        pytest.skip("it is read from files that are not part of the repository")
    small = "dataset.source.counts={train: 200, validation: 120, test: 120}"
    root = [f"dataset.root={tmp_path}"] if cfg.dataset.root is not None else []
    network = cfg.names.network
    train(tiny, "variant=wgan_gp", f"dataset={dataset}", small, *root, network=network)


@pytest.mark.parametrize("score", entries("score"))
def test_every_protocol_scores(tiny, score):
    few = ["score.n_fake=60", "score.n_real=60"]
    job = prepare_job(
        build.compose_config(tiny("dataset=ring", f"score={score}", *few, network="mlp"))
    )
    row = execute(job).row
    assert set(row.scores) == set(row.directions) >= {"frechet", "recall"}
    of_conditional_runs = {"class_accuracy"}
    assert set(row.measures) == set(job.plain["score"]["metrics"]) - of_conditional_runs
    assert row.protocol["n_fake"] == 60 and row.protocol["name"] == score


def test_every_metric_is_part_of_a_protocol():
    listed = (build.compose_config([f"score={score}"]).score.metrics for score in entries("score"))
    assert set(entries("metric")) == set(itertools.chain(*listed))


LOGGED = {  # file of each logger, in a run's folder
    "csv": "csv/metrics.csv",
    "tensorboard": "tensorboard/events*",
    "wandb": "wandb/offline-run-*/run-*.wandb",
}


@pytest.mark.parametrize("logger", entries("logger"))
def test_every_logger_runs_offline(tiny, tmp_path, monkeypatch, logger):
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.chdir(tmp_path)
    train(tiny, "dataset=ring", f"logger=[{logger}]", "trainer.pictures=1", network="mlp")
    folders = {path.name for path in (tmp_path / "runs").glob("*/*") if path.is_dir()}
    assert folders == {"samples", *([] if logger == "none" else [logger])}
    if logger == "none":
        return
    (log,) = (tmp_path / "runs").glob(f"*/{LOGGED[logger]}")
    assert b"d_loss" in log.read_bytes()


@pytest.mark.parametrize("sweep", entries("sweeps"))
def test_every_sweep_composes(sweep):
    cfg = build.compose_config([f"sweeps={sweep}"])
    validate.validate_config(cfg)


def test_small_networks_are_known_for_every_network():
    assert set(entries("network")) == set(SMALL)
