"""Bad configs: one sentence each, before anything is written."""

import importlib
import re
import warnings

import numpy as np
import pytest
from omegaconf import OmegaConf

from bench.config import build, paths, validate
from bench.core.errors import Caution, UserError
from bench.training.job import prepare_job

BAD = {
    "unknown variant": (["variant=wgan_pg"], "no variant 'wgan_pg'.*wgan_gp"),
    "unknown data": (["dataset=cifar11"], "no dataset 'cifar11'"),
    "misspelt key": (["d_step=3"], "d_step"),
    "misspelt hyperparameter": (["hyperparameters.learning_rte=1"], "learning_rte"),
    "accelerator": (["trainer.accelerator=foo"], "trainer.accelerator is 'foo'"),
    "data place": (["trainer.data=foo"], "trainer.data is 'foo'"),
    "checkpoints": (["trainer.checkpoint_every=0"], "trainer.checkpoint_every is 0"),
    "key that nothing reads": (["+learning_rat=1e-3"], "nothing reads learning_rat, "),
    "such a key beside one that is read": (
        ["++hyperparameters.learning_rate=0.1", "+learning_rat=1e-3"],
        "nothing reads learning_rat, ",
    ),
    "such a key below": (["+dataset.batch=3"], "nothing reads dataset.batch"),
    "such a hyperparameter": (
        ["++hyperparameters.learning_rat=1"],
        "nothing reads hyperparameters.learning_rat(.|\n)*'learning_rate'",
    ),
    "unknown trainer key": (["+trainer.foo=1"], "no argument 'foo'"),
    "split": (
        ["score.split=dev"],
        "score.split is 'dev'; dataset 'digits' has test, train, validation",
    ),
    "too few real": (
        ["score.n_real=501"],
        "score.n_real is 501; split 'test' of dataset 'digits' has 500",
    ),
    "study's protocol on few": (["score=study_10k_test", "score.n_real=10000"], "has 500"),
    "part of a sample": (["score.n_fake=60.5"], "score.n_fake is 60.5"),
    "rounding": (["score.quantise=maybe"], "score.quantise is 'maybe'"),
    "another's features": (["features=mnist_convnet"], "mnist_convnet"),
    "batch of one": (["batch_size=1"], "batch_size is 1"),
    "width of none": (["network.dense=-3"], "."),
    "spread of weights": (["network.std=-0.02"], "std"),
    "no budget": (["d_steps=0"], "d_steps is 0"),
    "no number": (["batch_size=many"], "batch_size is 'many'"),
    "fraction": (["threads=1.5"], "threads is 1.5"),
    "n_dis of 0": (["hyperparameters.n_dis=0"], "n_dis is 0"),
    "negative rate": (["hyperparameters.learning_rate=-1"], "learning_rate is -1"),
    "rate of NaN": (["hyperparameters.learning_rate=nan"], "nan"),
    "rate of text": (["hyperparameters.learning_rate=fast"], "learning_rate is 'fast'"),
    "beta of 2": (["hyperparameters.beta1=2"], "beta"),
    "negative weight": (["variant=wgan_gp", "hyperparameters.penalty_weight=-1"], "penalty_weight"),
    "clip of 0": (["variant=wgan", "hyperparameters.weight_clip=0"], "weight_clip is 0"),
    "batch norm under a penalty": (
        ["variant=wgan_gp", "hyperparameters.d_batch_norm=true"],
        "batch norm in a discriminator under a gradient penalty",
    ),
    "images' network on points": (["dataset=ring", "network=infogan"], "is for image"),
    "a batch of trillions": (["batch_size=99999999999999999999"], "batch_size is 9{20}"),
    "a seed that no table holds": (["seed=9223372036854775808"], "seed is 9223372036854775808"),
    "more processes than fit": (["trainer.devices=100000"], "trainer.devices is 100000"),
    "a picture at each step": (["trainer.pictures=100000000"], "trainer.pictures is 1"),
    "a seed for a number": (["seed=31415", "score.noise_seeds=${seed}"], "noise_seeds is 31415;"),
    "samples for years": (["score.n_fake=99999999999999999999"], "score.n_fake is 9+; choose"),
    "another size than the data's": (["dataset.shape=[1,10,10]"], "shape"),
    "more images than there are": (["train_images=1001"], "train_images is 1,001, .* 1,000 samp"),
    "half an image": (["train_images=64.5"], "train_images is 64.5"),
    "latents of no width": (["network.latent_dim=0"], "latent_dim is 0"),
    "precision": (["precision=16"], "precision is"),
    "ema": (["ema=constant", "ema.rule.decay_rate=1.5"], "decay_rate is 1.5"),
    "loss without its settings": (["loss=began"], "hyperparameters.gamma"),
    "loss of another model": (
        ["variant=began", "loss=minimax"],
        "model 'began'",
    ),
    "a penalty for a VAE": (
        ["variant=vae", "penalty=r1"],
        "penalty changes nothing: model 'vae' does not read it",
    ),
    "an augmentation for BEGAN": (
        ["variant=began", "augmentation=translation"],
        "augmentation changes nothing: model 'began' does not read it",
    ),
    "a normalisation for IMLE": (
        ["variant=imle", "normalisation=spectral"],
        "normalisation changes nothing: model 'imle' does not read it",
    ),
    "a normalisation for a discriminator of its own": (
        ["variant=minibatch_gan", "normalisation=spectral"],
        "normalisation changes nothing: model 'minibatch' has its own discriminator",
    ),
    "objective for a VAE": (
        ["variant=vae", "loss=hinge", "+hyperparameters.n_dis=1"],
        "model 'vae'",
    ),
}


@pytest.mark.parametrize(("overrides", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_config_is_one_sentence_and_writes_nothing(tiny, tmp_path, overrides, sentence):
    with pytest.raises(UserError, match=f"(?i){sentence}") as caught:
        job = prepare_job(build.compose_config([*tiny(), *overrides]))
        build.build_model(job.cfg)
    assert "\n" not in caught.value.message
    assert caught.value.fix or re.search("; |: ", caught.value.message)
    assert not (tmp_path / "runs").exists()


def test_a_network_for_points_on_images_is_one_sentence():
    with pytest.raises(UserError, match="'mlp' is for points, dataset 'digits' holds image"):
        validate.validate_config(build.compose_config(["network=mlp"]))


def test_a_size_that_the_network_cannot_make_is_one_sentence():
    with pytest.raises(UserError, match="multiples of 4"):
        build.build_model(build.compose_config(["dataset.shape=[1,10,10]"]))


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("+penalty.dragan.penalty.place.scal=1.0", "'scal'.*scale"),
        ("+loss.discriminator.off=1", "'off'"),
        ("+optimizer.generator.bettas=1", "'bettas'.*did you mean 'betas'"),
        ("+network.gan.discriminator.denze=3", "'denze'.*did you mean 'dense'"),
    ],
)
def test_a_key_under_partial_is_checked(tiny, key, suggestion):
    cfg = build.compose_config([*tiny(), "variant=dragan", key])
    with pytest.raises(UserError) as caught:
        validate.validate_config(cfg)
    assert re.search(suggestion, str(caught.value), flags=re.DOTALL)


def test_a_target_that_does_not_exist_is_named(tiny):
    cfg = build.compose_config([*tiny(), "loss.generator._target_=bench.losses.nothing.loss"])
    with pytest.raises(UserError, match="there is no 'bench.losses.nothing.loss'"):
        validate.validate_config(cfg)


def test_what_changes_a_bit_changes_the_run_id_and_nothing_else_does(tiny):
    def name(*overrides):
        return prepare_job(build.compose_config([*tiny(), *overrides])).folder.run_id

    base = name()
    for override in (
        "seed=1",
        "threads=2",
        "d_steps=5",
        "batch_size=32",
        "precision=bf16",
        "hyperparameters.learning_rate=1e-3",
        "network.dense=9",
        "loss=minimax",
        "ema=constant",
        "ema=half_life",
        "penalty=r1",
        "update_order=g_first",
        "update_order.fresh_real=true",
        "optimizer.generator.eps=1e-7",
        "optimizer.discriminator.eps=1e-7",
        "dataset.source.counts.train=900",
        "train_images=900",
        "model.reuse_samples=true",
    ):
        assert name(override) != base, override
    for override in (
        "score.n_fake=50",
        "log_every=1",
        "logger=csv",
        "trainer.pictures=3",
        "runs_root=elsewhere",
        "dataset.source.counts.test=400",
        "trainer.data=host",
        "train_images=1000",  # as many as there are
        "score.raw=true",
    ):
        assert name(override) == base, override


def test_composing_warns_of_nothing_and_other_warnings_are_shown():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        importlib.reload(paths)
        build.compose_config(["dataset=ring", "seed=4711"])
        warnings.warn("of another kind", UserWarning, stacklevel=1)
    assert [str(w.message) for w in shown] == ["of another kind"]


def test_a_hyperparameter_that_the_variant_uses_is_added_without_a_warning():
    added = ["++hyperparameters.learning_rate=0.1"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        validate.check_added_keys(build.compose_config(added), added)


def test_a_resolved_config_warns_of_no_hyperparameter(recwarn):
    cfg = build.compose_config([])
    typed = ["hyperparameters.learning_rate=0.1"]
    validate.check_added_keys(OmegaConf.create(validate.to_plain(cfg)), typed)
    assert not [str(w.message) for w in recwarn if issubclass(w.category, Caution)]


def test_the_first_images_train_and_the_others_are_as_they_were():
    def splits_of(*overrides):
        return build.build_splits(build.compose_config(list(overrides)))[1]

    whole, part = splits_of(), splits_of("train_images=100")
    assert np.array_equal(part["train"].samples, whole["train"].samples[:100])
    assert np.array_equal(part["train"].labels, whole["train"].labels[:100])
    assert all(np.array_equal(part[n].samples, whole[n].samples) for n in ("validation", "test"))


@pytest.mark.parametrize(("loss", "warns"), [("wasserstein", True), ("hinge", False)])
def test_lecam_beside_a_wasserstein_loss_is_warned_of(tiny, recwarn, loss, warns):
    cfg = build.compose_config([*tiny(), f"loss={loss}", "consistency=lecam"])
    build.build_model(cfg)
    found = [str(w.message) for w in recwarn if issubclass(w.category, Caution)]
    assert any("LeCam holds logits" in message for message in found) == warns


@pytest.mark.parametrize("entry", ["diffaugment", "translation", "adaptive"])
def test_an_augmentation_of_images_is_refused_on_points(entry):
    cfg = build.compose_config(["dataset=ring", f"augmentation={entry}"])
    with pytest.raises(UserError, match=r"\w+ changes images, .* holds points"):
        validate.validate_config(cfg)


def test_the_config_of_a_run_from_before_two_optimizers_is_named_as_such(tmp_path):
    (tmp_path / "config.yaml").write_text("model: {training: {optimizer: {lr: 1.0}}}\n")
    with pytest.raises(UserError, match="trained by an earlier suite, whose config.yaml has"):
        build.read_config(tmp_path / "config.yaml")
