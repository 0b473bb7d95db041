"""T9's rule on made-up scores."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t09_remedies as t9

ALONE = (2, 100, 3.0)


def part_results(minibatch, historical):
    """(modes held, classes, KL) of NS GAN and of the two remedies, seeds a little apart."""
    found = {}
    for variant, (modes, classes, kl) in zip(
        t9.NAMES, (ALONE, minibatch, historical, ALONE), strict=True
    ):
        for seed in range(5):
            ring = {"modes_covered": modes + seed % 2, "high_quality": 0.5}
            found[f"ring, {variant}, {seed}"] = {k: np.array(v) for k, v in ring.items()}
        for seed in range(2):
            stacked = {"classes_covered": classes + seed, "class_reverse_kl": kl}
            found[f"stacked_digits, {variant}, {seed}"] = {
                k: np.array(v) for k, v in stacked.items()
            }
    return found


@pytest.mark.parametrize(
    ("minibatch", "historical", "verdict"),
    [
        ((4, 100, 3.0), (2, 120, 2.0), REPRODUCED),
        ((4, 100, 3.0), ALONE, PARTLY),
        ((4, 120, 2.0), (6, 80, 4.0), PARTLY),  # harms on the stacked digits
        (ALONE, (2, 120, 4.0), NOT),  # more classes at a higher KL
        (ALONE, (1, 80, 4.0), NOT),
        ((4, 120, 2.0), (np.nan, 0, np.inf), PARTLY),  # diverged: harms
        ((4, 120, np.nan), (4, 100, 3.0), REPRODUCED),  # a broken KL helps nowhere
    ],
)
def test_the_rule(minibatch, historical, verdict):
    assert t9.conclude(part_results(minibatch, historical)).verdict == verdict


def test_the_figure_bears_runs_that_diverged():
    (figure,) = t9.draw(part_results((4, 120, 2.0), (0, 0, np.inf)))
    assert figure.drawing.png and figure.drawing.name == "T09-remedies"
