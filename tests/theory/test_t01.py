"""T1: its rule."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t01_discriminator import FAKES, NARROW, WIDE, conclude, parts


def part_results(*, sup=0.01, weighted=0.001):
    errors = {"sup": np.full((4, 2), sup), "weighted": np.full((4, 2), weighted)}
    narrow = {"sup": np.full((4, 2), 0.4), "weighted": np.full((4, 2), 0.1)}
    return {f"{f}, {n}": e for f in FAKES for n, e in ((WIDE, errors), (NARROW, narrow))}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, REPRODUCED),
        ({"sup": 0.2}, PARTLY),
        ({"sup": 0.2, "weighted": 0.1}, NOT),
        ({"sup": np.nan, "weighted": np.nan}, NOT),
    ],
)
def test_verdicts(given, verdict):
    assert conclude(part_results(**given)).verdict == verdict


def test_evidence_has_the_parts_that_are_measured():
    assert list(parts(True)) == list(part_results())
