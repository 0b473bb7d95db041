"""T25's rule on outcomes that were made up."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, NOT_TESTED, PARTLY, REPRODUCED
from bench.theory.experiments import t25_created_equal
from bench.theory.experiments.t25_created_equal import EXPERIMENT, VERDICT_CODES

OPEN = VERDICT_CODES[3]
LOW = list(range(10))
HIGH = [100 + value for value in LOW]


def part_results(second, c1, c2):
    """Three variants of ten seeds, the last of which is a VAE."""
    return {
        "made": {
            "name": np.array(["a", "b", "vae"]),
            "adversarial": np.array([True, True, False]),
            "cost": np.array([LOW, second, LOW], dtype=float),
            "claims": np.array([VERDICT_CODES.index(c1), VERDICT_CODES.index(c2)]),
        }
    }


@pytest.mark.parametrize(
    ("second", "c1", "c2", "verdict"),
    [
        (LOW, REPRODUCED, REPRODUCED, REPRODUCED),
        (LOW, OPEN, REPRODUCED, PARTLY),  # one data set
        (LOW, OPEN, NOT, PARTLY),
        (HIGH, REPRODUCED, REPRODUCED, PARTLY),  # one variant is ahead of all others
        (HIGH, OPEN, NOT, NOT),
        ([np.inf] * 10, OPEN, NOT, NOT),  # all diverged: no equal
    ],
)
def test_rule(second, c1, c2, verdict):
    assert EXPERIMENT.conclude(part_results(second, c1, c2)).verdict == verdict


def test_codes_are_the_claims_verdicts():
    from bench.reporting.claims import claim

    assert (claim.REPRODUCED, claim.PARTLY, claim.NOT, claim.OPEN) == VERDICT_CODES


@pytest.mark.parametrize("name", ["absent", "created_equal_digits"])
def test_without_rows_of_this_version_it_is_not_tested(monkeypatch, name):
    """The committed rows of version 1 are not read."""
    study = t25_created_equal.STUDY.with_name(name)
    monkeypatch.setattr(t25_created_equal, "STUDY", study)
    monkeypatch.setattr(t25_created_equal, "ROWS", study / "rows.parquet")
    results = {part: EXPERIMENT.measure(s) for part, s in EXPERIMENT.parts(False).items()}
    found = EXPERIMENT.conclude(results)
    assert found.verdict == NOT_TESTED and name in found.summary
    assert list(EXPERIMENT.draw(results)) == []
