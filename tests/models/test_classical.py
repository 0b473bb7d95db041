"""Fits against numpy's closed forms, samples against fits, densities against scipy's."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from bench.config import build
from bench.core.errors import UserError
from bench.data.split import Split
from bench.execution.run import execute
from bench.losses.classes import ClassLikelihood
from bench.models import estimators
from bench.networks import gaussians
from bench.training.job import prepare_job

VARIANTS = ("naive_bayes", "lda", "qda")
CENTRES = np.array([[-4.0, 0.0], [4.0, 1.0], [0.0, 5.0]])
FACTORS = np.array([[[1.0, 0.0], [0.8, 0.5]], [[0.4, 0.0], [-0.3, 1.0]], [[2.0, 0.0], [0.0, 0.1]]])


@pytest.fixture(scope="module")
def mixture():
    """Three Gaussians of known moments, 6,000 points, and their labels."""
    rng = np.random.default_rng(0)
    labels = rng.choice(3, size=6000, p=[0.5, 0.3, 0.2])
    noise = np.einsum("nij,nj->ni", FACTORS[labels], rng.standard_normal((6000, 2)))
    return CENTRES[labels] + noise, labels


def moments(points, labels):
    """Shares, means and covariances divided by n, by numpy."""
    parts = [points[labels == k] for k in np.unique(labels)]
    shares = np.array([len(part) for part in parts]) / len(points)
    return shares, [p.mean(0) for p in parts], [np.cov(p.T, bias=True) for p in parts]


def test_naive_bayes_keeps_shares_means_and_variances(mixture):
    shares, means, covariances = moments(*mixture)
    found = estimators.naive_bayes(*mixture, var_smoothing=0.01)
    np.testing.assert_allclose(found.priors, shares)
    np.testing.assert_allclose(found.means, means)
    added = 0.01 * mixture[0].var(0).max()
    expected = [np.sqrt(np.diag(c) + added) for c in covariances]
    np.testing.assert_allclose(found.root, expected, rtol=1e-10)


@pytest.mark.parametrize("shrinkage", [0.0, 0.3])
def test_lda_keeps_one_covariance_within_classes(mixture, shrinkage):
    shares, means, covariances = moments(*mixture)
    found = estimators.lda(*mixture, shrinkage=shrinkage)
    np.testing.assert_allclose(found.means, means)
    shrunk = [(1 - shrinkage) * c + shrinkage * np.trace(c) / 2 * np.eye(2) for c in covariances]
    pooled = sum(share * c for share, c in zip(shares, shrunk, strict=True))
    np.testing.assert_allclose(found.root @ found.root.T, pooled, rtol=1e-10)


@pytest.mark.parametrize("reg_param", [0.0, 0.2])
def test_qda_keeps_a_covariance_of_each_class(mixture, reg_param):
    """scikit-learn divided by n - 1 before it divided by n: 1/1200 at most."""
    shares, means, covariances = moments(*mixture)
    found = estimators.qda(*mixture, reg_param=reg_param)
    np.testing.assert_allclose(found.priors, shares)
    np.testing.assert_allclose(found.means, means)
    for root, covariance in zip(found.root, covariances, strict=True):
        expected = (1 - reg_param) * covariance + reg_param * np.eye(2)
        np.testing.assert_allclose(root @ root.T, expected, rtol=1e-3)
        assert np.array_equal(root, np.tril(root))


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_class_is_the_gaussian_of_all(mixture, variant):
    points, cfg = mixture[0], build.compose_config([f"variant={variant}"])
    cfg.hyperparameters.update({k: 0 for k in cfg.hyperparameters if k != "d_batch_norm"})
    found = build.instantiate(cfg.model.estimator)(points, np.zeros(len(points), np.int64))
    assert found.priors.tolist() == [1.0]
    np.testing.assert_allclose(found.means, [points.mean(0)])
    root = np.diag(found.root[0]) if variant == "naive_bayes" else found.root.reshape(2, 2)
    covariance = np.cov(points.T, bias=True) * (np.eye(2) if variant == "naive_bayes" else 1)
    np.testing.assert_allclose(root @ root.T, covariance, rtol=1e-3, atol=1e-12)


def fitted(variant, points, labels, classes=3):
    """The variant's generator and what it took."""
    cfg = build.compose_config([f"variant={variant}", "dataset=ring", f"dataset.classes={classes}"])
    model = build.build_model(cfg)
    model.fit_to_data(Split(points.astype(np.float32), labels))
    found = model.estimate()
    model.generator.set_parameters(*map(torch.from_numpy, found))
    return model.generator.double(), found


def covariances_of(found, k):
    root = found.root if found.root.shape == (2, 2) and found.root[0, 1] == 0 else found.root[k]
    return np.diag(root**2) if root.ndim == 1 else root @ root.T


@pytest.mark.parametrize("variant", VARIANTS)
def test_samples_have_the_moments_that_were_fitted(mixture, variant):
    generator, found = fitted(variant, *mixture)
    latent = torch.randn(60_000, 3, generator=torch.Generator().manual_seed(1)).double()
    picked, samples = generator.pick_classes(latent).numpy(), generator(latent).numpy()
    shares, means, covariances = moments(samples, picked)
    np.testing.assert_allclose(shares, found.priors, atol=4 * 0.5 / np.sqrt(60_000))
    for k in range(3):
        expected = covariances_of(found, k)
        np.testing.assert_allclose(means[k], found.means[k], atol=4 * 2.1 / np.sqrt(12_000))
        np.testing.assert_allclose(covariances[k], expected, atol=0.05 * expected.max())


@pytest.mark.parametrize("variant", VARIANTS)
def test_densities_are_scipys(mixture, variant):
    generator, found = fitted(variant, *mixture)
    points = torch.from_numpy(mixture[0][:50])
    joint = generator.log_joint(points).numpy()
    for k in range(3):
        normal = multivariate_normal(found.means[k], covariances_of(found, k))
        expected = np.log(found.priors[k]) + normal.logpdf(points.numpy())
        np.testing.assert_allclose(joint[:, k], expected, rtol=1e-4, atol=1e-4)
    loss = ClassLikelihood()(torch.from_numpy(joint)).item()
    assert loss == pytest.approx(-np.log(np.exp(joint).sum(1)).mean())


def test_the_first_latent_picks_the_class_and_none_without_samples():
    """Priors 0, 0.5, 0.5, 0: below 0 the second, above 0 the third, however far out."""
    generator = gaussians.Diagonal([1], 4)
    root = torch.tensor([[1.0], [2.0], [3.0], [1.0]])
    means = torch.tensor([[9.0], [10.0], [20.0], [9.0]])
    generator.set_parameters(torch.tensor([0.0, 0.5, 0.5, 0.0]), means, root)
    latent = torch.tensor([[-9.0, 0.5], [-0.1, -1.0], [0.1, 1.0], [30.0, -0.5]])
    assert generator.pick_classes(latent).tolist() == [1, 1, 2, 2]
    assert generator(latent).flatten().tolist() == [11.0, 8.0, 23.0, 18.5]


def test_images_are_clipped_and_points_are_not():
    z = torch.tensor([[0.0, 3.0, -3.0]])
    assert gaussians.Shared([2], 1)(z).tolist() == [[3.0, -3.0]]
    assert gaussians.Shared([1, 1, 2], 1)(z).flatten().tolist() == [1.0, 0.0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_first_step_is_the_fit_and_a_run_goes_on_from_it(tiny, tmp_path, variant):
    """One step, five, and five with a stop after the third keep the same generator."""
    digests = []
    for steps in (1, 5):
        root = [f"d_steps={steps}", f"runs_root={tmp_path / str(steps)}"]
        job = prepare_job(build.compose_config(tiny(f"variant={variant}", *root)))
        assert execute(job).status == "finished"
        digests.append(job.folder.read_status()["digest"])
    cut = prepare_job(
        build.compose_config(
            tiny(f"variant={variant}", "d_steps=5", "trainer.checkpoint_every=3",
                 "trainer.keep_checkpoint=true", f"runs_root={tmp_path / 'cut'}")
        )
    )  # fmt: skip
    execute(cut)
    cut.folder.path.joinpath(
        "status.json"
    ).unlink()  # as if killed: the checkpoint of step 3 is left
    assert execute(cut).status == "finished"
    assert {*digests, cut.folder.read_status()["digest"]} == {digests[0]}
    train = cut.splits["train"]
    mean = train.samples[train.labels == 7].reshape(-1, 64).mean(0) / 255
    kept = build.build_sampler(cut.folder).generator
    np.testing.assert_allclose(kept.means[7].numpy(), mean, atol=1e-6)


def test_what_cannot_be_fitted_is_one_sentence(mixture):
    points, labels = mixture
    flat = np.zeros((10, 2))
    with pytest.raises(ValueError, match="raise var_smoothing"):
        estimators.naive_bayes(flat, np.arange(10) % 2, var_smoothing=1e-9)
    with pytest.raises(ValueError, match="raise shrinkage"):
        estimators.lda(flat, np.arange(10) % 2, shrinkage=0.0)
    with pytest.raises(ValueError, match="a class has 1 samples of 2 coordinates"):
        estimators.qda(points[:10], np.arange(10), reg_param=0.1)
    with pytest.raises(ValueError, match=r"have 3 classes, dataset\.classes is 2"):
        fitted("lda", points, labels, classes=2)
    model = build.build_model(build.compose_config(["variant=lda"]))
    with pytest.raises(ValueError, match="has no training split"):
        model.training_step(torch.zeros(2, 1, 8, 8), 0)


@pytest.mark.parametrize("override", ["loss=imle", "loss=vae", "dataset.classes=0"])
def test_what_does_not_fit_the_model_is_refused_before_it_starts(override):
    with pytest.raises(UserError, match="cannot use this loss|classes is 0"):
        build.build_model(build.compose_config(["variant=qda", override]))
