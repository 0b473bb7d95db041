"""T12's rule, by evidence whose verdict is known."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t12_estimate as t12

DISTANCE = np.linspace(2, 0.2, 8)[:, None] * np.ones(3)
RANDOM = np.array([3.0, 7, 1, 5, 2, 8, 4, 6])[:, None] * np.ones(3)


def part_results(signal, quality):
    """Three seeds whose W1 falls over eight looks."""
    arrays = {"exact": DISTANCE, "signal": signal, "quality": quality}
    return {t12.WGAN: arrays, t12.NS: {**arrays, "signal": RANDOM}}


@pytest.mark.parametrize(
    ("signal", "quality", "verdict"),
    [
        (0.9 * DISTANCE, 1 - DISTANCE / 2, REPRODUCED),
        (0.5 * DISTANCE, 1 - DISTANCE / 2, PARTLY),  # not optimal
        (0.9 * DISTANCE, np.zeros_like(DISTANCE), PARTLY),  # no sample was ever near a mode
        (RANDOM, np.zeros_like(DISTANCE), NOT),
    ],
)
def test_the_rule(signal, quality, verdict):
    assert t12.conclude(part_results(signal, quality)).verdict == verdict


def test_a_run_that_diverged_tracks_nothing():
    signal = 0.9 * DISTANCE
    signal[3, 1] = np.nan
    assert t12.conclude(part_results(signal, 1 - DISTANCE / 2)).verdict == NOT


def test_correlations_are_of_each_seed():
    found = t12.correlations(np.exp(DISTANCE), DISTANCE, spearmanr)
    assert found == pytest.approx(np.ones(3))
    assert t12.correlations(-DISTANCE, DISTANCE, pearsonr) == pytest.approx(-np.ones(3))
