"""Accuracy of a classifier on samples of known classes.

Shmelkov et al. 2018 (arXiv:1807.09499), GAN-test: a classifier that was trained on real images is
shown generated ones, each with the class that it was asked for. Ravuri and Vinyals 2019
(arXiv:1905.10887) go the other way and train on generated images, which is not done here.
"""

import numpy as np

DIRECTIONS = {"class_accuracy": "higher"}
UNITS = {"class_accuracy": "share of samples, 0 to 1"}
TITLES = {"class_accuracy": "class accuracy"}
POSITIONS = {"class_accuracy": 15}


def class_accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Share of samples whose predicted class [N] is the one that was asked for, labels [N].

    1 / K for predictions that do not depend on the labels, if either are equally frequent.

    Raises:
        ValueError: there is no sample, or the two are not equally many.
    """
    return float(_agreement(predicted, labels).mean())


def accuracy_by_class(predicted: np.ndarray, labels: np.ndarray) -> dict[int, tuple[float, float]]:
    """Return class -> (accuracy on its samples, share of all samples) of the classes in labels [N].

    The mean of the accuracies, weighted with the shares, is `class_accuracy`; ValueError as there.
    """
    agreement = _agreement(predicted, labels)
    of_class = {int(label): agreement[labels == label] for label in np.unique(labels)}
    return {k: (float(a.mean()), len(a) / len(agreement)) for k, a in of_class.items()}


def _agreement(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return whether each prediction is right, [N]."""
    if predicted.shape != labels.shape or predicted.ndim != 1 or not len(labels):
        found = f"{list(predicted.shape)} and {list(labels.shape)}"
        raise ValueError(f"class_accuracy: predictions and labels must both be [N], found {found}")
    return predicted == labels
