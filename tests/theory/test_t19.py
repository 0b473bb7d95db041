"""T19's rule on made-up distances."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t19_constraint as t19


def part_results(clipped, penalised):
    """Distances by decade, the same for three seeds."""
    rows = zip(t19.CONSTRAINTS.items(), (clipped, penalised), strict=True)
    return {
        f"{variant}, {value:g}": {"frechet": np.array([distance] * 3)}
        for (variant, (_, values)), distances in rows
        for value, distance in zip(values, distances, strict=True)
    }


FLAT, STEEP = [10.0, 11, 10, 12, 11, 15], [200.0, 100, 20, 10, 50, 100]


@pytest.mark.parametrize(
    ("clipped", "penalised", "verdict"),
    [
        (STEEP, FLAT, REPRODUCED),
        ([*STEEP[:-1], np.inf], FLAT, REPRODUCED),  # worse than any distance
        ([*STEEP[:-1], np.nan], FLAT, REPRODUCED),
        (STEEP, STEEP, PARTLY),
        ([10.0, 10, 10, 10, 10, 41], [10.0, 10, 10, 10, 10, 39], PARTLY),  # below 4, yet no gain
        (STEEP, [*FLAT[:-1], np.inf], PARTLY),
        (FLAT, FLAT, NOT),
        (FLAT, STEEP, NOT),
    ],
)
def test_the_rule(clipped, penalised, verdict):
    assert t19.conclude(part_results(clipped, penalised)).verdict == verdict


def test_twenty_times_is_what_is_said():
    result = t19.conclude(part_results(STEEP, FLAT))
    assert result.numbers[0].value == 20 and result.numbers[1].value == 1.5
    assert "best 10 at 0.1, worst 200 at 0.0001" in result.summary


def test_all_diverged_is_no_independence():
    assert t19.conclude(part_results(STEEP, [np.inf] * 6)).verdict == PARTLY


def test_the_figure_shows_runs_that_diverged():
    (figure,) = t19.draw(part_results([*STEEP[:-1], np.inf], FLAT))
    assert figure.drawing.png and figure.drawing.name == "T19-constraints"
