"""scikit-learn's class-conditional Gaussians as priors, means and roots of covariances, float64.

Two classes at least are what its discriminant analyses want: samples of one class are given twice,
which changes no mean and no covariance.
"""

from typing import NamedTuple

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB


class Fitted(NamedTuple):
    """What a `bench.networks.gaussians` generator takes.

    Args:
        priors: shares of the classes, in the order of their labels, [K].
        means: [K, D].
        root: standard deviations [K, D], one Cholesky factor [D, D], or one a class [K, D, D].
    """

    priors: np.ndarray
    means: np.ndarray
    root: np.ndarray


def naive_bayes(samples: np.ndarray, labels: np.ndarray, *, var_smoothing: float) -> Fitted:
    """S_k = diag(variances of class k) + var_smoothing (largest variance of all) I: GaussianNB.

    Args:
        samples, labels: x [N, D] and classes [N].
        var_smoothing: above 0 where a coordinate is constant within a class.
    """
    found = GaussianNB(var_smoothing=var_smoothing).fit(samples, labels)
    if not found.var_.min() > 0:
        raise ValueError("naive_bayes: a coordinate is constant in a class: raise var_smoothing")
    return Fitted(found.class_prior_, found.theta_, np.sqrt(found.var_))


def lda(samples: np.ndarray, labels: np.ndarray, *, shrinkage: float) -> Fitted:
    """S = sum_k pi_k ((1 - s) S_k + s tr(S_k) / D I), of all classes: LinearDiscriminantAnalysis.

    Args:
        samples, labels: x [N, D] and classes [N].
        shrinkage: s, in [0, 1]; above 0 where a coordinate is constant.
    """
    estimator = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    found, once = _fitted_to_two(estimator, samples, labels)
    root = _cholesky(found.covariance_, "lda", "shrinkage")
    return Fitted(found.priors_[:once] / found.priors_[:once].sum(), found.means_[:once], root)


def qda(samples: np.ndarray, labels: np.ndarray, *, reg_param: float) -> Fitted:
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
            "many samples as coordinates: lda and naive_bayes do not"
        )
    estimator = QuadraticDiscriminantAnalysis(reg_param=reg_param, store_covariance=True, tol=0.0)
    found, once = _fitted_to_two(estimator, samples, labels)
    roots = [_cholesky(each, "qda", "reg_param") for each in found.covariance_[:once]]
    priors = found.priors_[:once] / found.priors_[:once].sum()
    return Fitted(priors, found.means_[:once], np.stack(roots))


def _fitted_to_two(estimator, samples: np.ndarray, labels: np.ndarray) -> tuple:
    """The estimator fitted, and how many of its classes count: one class is fitted as two."""
    classes = len(np.unique(labels))
    if classes == 1:
        samples = np.concatenate([samples, samples])
        labels = np.repeat([0, 1], len(labels))
    return estimator.fit(samples, labels), classes


def _cholesky(covariance: np.ndarray, name: str, remedy: str) -> np.ndarray:
    """R with R R^T = S, lower triangular."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"{name}: a covariance is singular: raise {remedy}") from error
