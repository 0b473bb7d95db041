"""Accuracy by hand, at chance, and for what cannot be compared."""

import numpy as np
import pytest

from bench.metrics.class_accuracy import accuracy_by_class, class_accuracy


def test_the_shares_weight_the_classes():
    """Class 5: 2 of 3, class 7: 0 of 1; (3/4)(2/3) + (1/4) 0 = 1/2."""
    predicted, labels = np.array([5, 5, 7, 5]), np.array([5, 5, 5, 7])
    of_class = accuracy_by_class(predicted, labels)
    assert of_class == {5: (2 / 3, 3 / 4), 7: (0.0, 1 / 4)}
    assert class_accuracy(predicted, labels) == 0.5


def test_predictions_that_ignore_the_labels_are_at_chance():
    """Every pair of 10 classes once: 1/10."""
    predicted, labels = (part.ravel() for part in np.indices((10, 10)))
    assert class_accuracy(predicted, labels) == 0.1


@pytest.mark.parametrize("shapes", [((0,), (0,)), ((3,), (2,)), ((2, 2), (2, 2))])
def test_what_has_no_accuracy_is_refused(shapes):
    with pytest.raises(ValueError, match="class_accuracy: predictions and labels"):
        class_accuracy(*map(np.zeros, shapes))
