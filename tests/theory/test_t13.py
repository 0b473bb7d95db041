"""T13's rule on distances made by hand."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t13_critic_steps as t13


def part_results(wgan, minimax):
    """W1 of three seeds that stays; the last K's is given, the others have 1."""
    found = {}
    for loss, last in (("wgan", wgan), ("minimax", minimax)):
        for k in t13.STEPS:
            looks = np.full((12, 3), last if k == t13.STEPS[-1] else 1.0)
            found[f"{loss}, K={k}"] = {"steps": looks, "images": looks}
    return found


@pytest.mark.parametrize(
    ("wgan", "minimax", "verdict"),
    [
        (1.0, 1.5, REPRODUCED),
        (0.5, np.inf, REPRODUCED),
        (1.0, 1.0, PARTLY),
        (1.2, 1.5, PARTLY),
        (np.inf, 0.9, NOT),
    ],
)
def test_the_rule_gives_each_verdict(wgan, minimax, verdict):
    assert t13.conclude(part_results(wgan, minimax)).verdict == verdict


def test_a_seed_without_a_yardstick_speaks_for_neither():
    given = part_results(1.0, 1.5)
    for loss in t13.LOSSES:
        given[f"{loss}, K=1"]["steps"] = np.full((12, 3), np.inf)
    assert t13.conclude(given).verdict == NOT


def test_the_score_is_the_mean_of_the_last_quarter():
    looks = np.arange(12.0)[:, None]
    assert t13.mean_of_last_quarter(looks).tolist() == [10.0]
