"""Fit class-conditional Gaussians with scikit-learn: priors, means, roots of covariances, float64.

Its discriminant analyses need at least two classes: samples of a single class are passed twice, as
two classes, which changes neither mean nor covariance.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB


class FittedGaussians(NamedTuple):
    """Parameters of a generator of `bench.networks.gaussians`.

    Args:
        priors: frequencies of the classes, in the order of their labels, [K].
        means: class means, [K, D].
        root: standard deviations [K, D], one Cholesky factor [D, D], or one per class [K, D, D].
    """

    priors: np.ndarray
    means: np.ndarray
    root: np.ndarray


def naive_bayes(
    samples: np.ndarray, labels: np.ndarray, *, var_smoothing: float
) -> FittedGaussians:
    """S_k = diag(variances of class k) + var_smoothing (largest variance of all) I: GaussianNB.

    Args:
        samples, labels: x [N, D] and classes [N].
        var_smoothing: above 0 where a coordinate is constant within a class.
    """
    model = GaussianNB(var_smoothing=var_smoothing).fit(samples, labels)
    if not model.var_.min() > 0:
        raise ValueError("naive_bayes: a coordinate is constant in a class: raise var_smoothing")
    return FittedGaussians(model.class_prior_, model.theta_, np.sqrt(model.var_))


def lda(samples: np.ndarray, labels: np.ndarray, *, shrinkage: float) -> FittedGaussians:
    """S = sum_k pi_k ((1 - s) S_k + s tr(S_k) / D I), of all classes: LinearDiscriminantAnalysis.

    Args:
        samples, labels: x [N, D] and classes [N].
        shrinkage: s, in [0, 1]; above 0 where a coordinate is constant.
    """
    estimator = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    model, priors, means = _fit_two_classes(estimator, samples, labels)
    return FittedGaussians(priors, means, _cholesky(model.covariance_, "lda", "shrinkage"))


def qda(samples: np.ndarray, labels: np.ndarray, *, reg_param: float) -> FittedGaussians:
    """(1 - r) S_k + r I of each class: QuadraticDiscriminantAnalysis.

    Args:
        samples, labels: x [N, D] and classes [N], of at least D samples each.
        reg_param: r, in [0, 1], in squared units of the samples; above 0 where a coordinate is
            constant in a class.
    """
    fewest = int(np.unique(labels, return_counts=True)[1].min())
    if fewest < max(samples.shape[1], 2):
        raise ValueError(
            f"qda: a class has {fewest} samples of {samples.shape[1]} coordinates, and needs as "
            "many samples as coordinates: choose lda or naive_bayes, which do not"
        )
    estimator = QuadraticDiscriminantAnalysis(reg_param=reg_param, store_covariance=True, tol=0.0)
    model, priors, means = _fit_two_classes(estimator, samples, labels)
    roots = [_cholesky(each, "qda", "reg_param") for each in model.covariance_[: len(priors)]]
    return FittedGaussians(priors, means, np.stack(roots))


def _fit_two_classes(
    estimator: Any, samples: np.ndarray, labels: np.ndarray
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Fit with a single class doubled; return the estimator, priors [K] and means [K, D]."""
    classes = len(np.unique(labels))
    if classes == 1:
        samples = np.concatenate([samples, samples])
        labels = np.repeat([0, 1], len(labels))
    model = estimator.fit(samples, labels)
    priors = model.priors_[:classes]
    return model, priors / priors.sum(), model.means_[:classes]


def _cholesky(covariance: np.ndarray, name: str, remedy: str) -> np.ndarray:
    """R with R R^T = S, lower triangular."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"{name}: a covariance is singular: raise {remedy}") from error
