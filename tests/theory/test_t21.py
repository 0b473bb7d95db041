"""T21's rule on scores that were made up, and noise as large as the data's."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t21_noise
from bench.theory.experiments.t21_noise import DATA_NOISE, EXPERIMENT


def part_results(kl=1.0, good=(1.0, 0.2), w1=(0.1, 0.5), circle_good=0.2):
    found = {
        "circle": {
            "level": np.array([0.0, DATA_NOISE, 0.4]),
            "kl": np.array([np.inf, 0.0, kl]),
            "good": np.array([1.0, 0.99, circle_good]),
            "w1": np.array([0.02, 0.0, 0.3]),
        }
    }
    for place, level in enumerate((0.02, 0.4)):
        for seed in range(3):
            found[f"{level}/{seed}"] = {
                "kl": np.array(kl),
                "noisy_good": np.array(good[place] - 0.01 * seed * place),
                "noisy_w1": np.array(w1[place]),
            }
    return found


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, REPRODUCED),
        ({"kl": np.inf}, PARTLY),
        ({"good": (0.2, 0.9)}, PARTLY),
        ({"w1": (0.1, np.nan)}, PARTLY),  # diverged
        ({"kl": np.nan, "w1": (0.5, 0.1), "circle_good": 1.0}, NOT),
    ],
)
def test_rule(given, verdict):
    assert EXPERIMENT.conclude(part_results(**given)).verdict == verdict


def test_noise_as_large_as_the_datas_is_no_loss():
    found = t21_noise.measure({"own": 0.1, "widest": 0.4, "levels": 3})
    assert found["level"] == pytest.approx([0, 0.025, 0.1, 0.4])
    assert found["kl"][0] == np.inf
    assert found["kl"][2] == pytest.approx(0, abs=1e-9)
    assert found["w1"][2] == pytest.approx(0, abs=1e-9)
    assert found["good"][0] == pytest.approx(1)
    # to the circle: E|r - 1|, nearly that of N(0, 0.1^2), 0.1 sqrt(2 / pi)
    assert found["w1"][0] == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.02)
