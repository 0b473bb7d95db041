"""T8's rule on shares made by hand."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t08_unrolling as t08


def holding(*modes):
    """Shares [10, R, 8] of seeds that hold so many modes throughout; NaN for None."""
    rows = [np.full(8, np.nan) if m is None else (np.arange(8) < m) / max(m, 1) for m in modes]
    return np.repeat(np.array(rows)[None], 10, axis=0)


def part_results(*seeds):
    """The same for both losses."""
    return {
        t08.part_name(loss, k): {"shares": holding(*modes)}
        for loss in t08.LOSSES
        for k, modes in zip(t08.UNROLLED, seeds, strict=True)
    }


@pytest.mark.parametrize(
    ("seeds", "verdict"),
    [
        (([1, 2, 1], [3, 3, 3], [7, 7, 7], [8, 8, 7]), REPRODUCED),
        (([1, 2, 1], [3, 3, 3], [4, 4, 4], [5, 5, 5]), PARTLY),  # not prevented
        (([1, 2, 1], [8, 8, 8], [2, 2, 2], [8, 8, 8]), PARTLY),  # does not rise
        (([3, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]), NOT),
        (([4, 4, 4], [4, 4, 4], [8, 8, 8], [None, None, None]), NOT),
    ],
)
def test_the_rule_gives_each_verdict(seeds, verdict):
    assert t08.conclude(part_results(*seeds)).verdict == verdict


def test_a_diverged_seed_holds_no_mode():
    assert t08.mean_covered_modes(holding(8, None)).tolist() == [8.0, 0.0]


def test_the_gain_is_paired_by_seed():
    result = t08.conclude(part_results([1, 5, 3], [2, 6, 4], [3, 7, 5], [3, 7, 5]))
    gain = result.numbers[0]
    assert (gain.value, gain.low, gain.high) == (2.0, 2.0, 2.0)


def test_one_loss_alone_is_partly():
    given = part_results([3] * 3, [3] * 3, [3] * 3, [3] * 3)
    rising = part_results([1] * 3, [3] * 3, [7] * 3, [8] * 3)
    mixed = given | {part: rising[part] for part in rising if part.startswith("minimax")}
    assert t08.conclude(mixed).verdict == PARTLY
