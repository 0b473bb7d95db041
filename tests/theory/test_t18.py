"""T18's rule on made-up distances."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t18_architectures as t18


def part_results(*hard, easy=(10.0, 12.0), untrained=260.0):
    """Distances (NS GAN, WGAN) with DCGAN, and of each hard generator, the same for three seeds."""
    found = {t18.UNTRAINED: {"frechet": np.array([untrained])}}
    for net, pair in zip(t18.GENERATORS, (easy, *hard), strict=True):
        for loss, value in zip(t18.LOSSES, (*pair, 11.0), strict=True):
            found[f"{loss}, {net}"] = {"frechet": np.array([value] * 3)}
    return found


@pytest.mark.parametrize(
    ("hard", "verdict"),
    [
        ([(50.0, 20.0), (200.0, 24.0)], REPRODUCED),
        ([(np.inf, 20.0), (np.nan, 24.0)], REPRODUCED),  # a run that diverged has failed
        ([(50.0, 20.0), (19.0, 15.0)], PARTLY),  # NS GAN does not fail with the second
        ([(50.0, 25.0), (200.0, np.inf)], NOT),  # over twice 12; diverged
        ([(50.0, np.nan), (21.0, 22.0)], NOT),  # diverged; above NS GAN's
    ],
)
def test_the_rule(hard, verdict):
    assert t18.conclude(part_results(*hard)).verdict == verdict


def test_twice_a_useless_score_is_not_work():
    assert t18.conclude(part_results((900, 100), (900, 100), easy=(100, 100))).verdict == NOT


def test_the_figure_shows_runs_that_diverged():
    (figure,) = t18.draw(part_results((np.inf, 20.0), (np.nan, 24.0)))
    assert figure.drawing.png and figure.drawing.name == "T18-generators"
