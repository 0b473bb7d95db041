"""T7's rule on shares made by hand: a rotating, a settled and a diverged generator."""

import numpy as np
import pytest

from bench.data.densities import ring
from bench.data.points import Modes
from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t07_rotation as t07
from bench.theory.toolkit.ring_gans import count_covered_modes, high_quality_share, mode_shares

SNAPSHOTS = 40


def rotating():
    """All mass on one mode, the next one at every snapshot."""
    return np.eye(8)[np.arange(SNAPSHOTS) % 8]


def settled():
    """An eighth on each mode throughout."""
    return np.full((SNAPSHOTS, 8), 1 / 8)


def part_results(minimax, nonsaturating):
    return {
        loss: {"shares": np.stack(seeds, axis=1), "quality": np.ones((SNAPSHOTS, len(seeds)))}
        for loss, seeds in (("minimax", minimax), ("nonsaturating", nonsaturating))
    }


@pytest.mark.parametrize(
    ("minimax", "nonsaturating", "verdict"),
    [
        ([rotating()] * 3, [rotating()] * 3, REPRODUCED),
        ([rotating()] * 3, [settled()] * 3, PARTLY),
        ([settled()] * 3, [settled()] * 3, NOT),
        ([rotating() * np.nan] * 3, [settled()] * 3, NOT),
    ],
)
def test_the_rule_gives_each_verdict(minimax, nonsaturating, verdict):
    assert t07.conclude(part_results(minimax, nonsaturating)).verdict == verdict


def test_a_trait_needs_more_than_half_of_the_seeds_and_a_diverged_one_has_none():
    half = [rotating(), rotating() * np.nan]
    assert t07.conclude(part_results(half, half)).verdict == NOT
    most = [rotating(), rotating(), rotating() * np.nan]
    assert t07.conclude(part_results(most, most)).verdict == REPRODUCED


def test_the_summary_counts_seeds_by_what_they_do():
    said = t07.conclude(part_results([rotating(), rotating(), settled()], [settled()] * 3)).summary
    assert said == (
        "Minimax loss, 3 seeds: 2 never settle, 2 rotate, 2 hold only one mode at once; the median "
        "seed holds 1 of 8 modes at once. Non-saturating loss, 3 seeds: 0 never settle, 0 rotate, "
        "0 hold only one mode at once; the median seed holds 8 of 8 modes at once."
    )


def test_measures_of_a_rotation_and_of_a_mixture():
    found = t07.measure_rotation(np.stack([rotating(), settled()], axis=1))
    # Snapshots four apart hold different modes; equal shares count as heaviest the first.
    assert found["moved"].tolist() == [1.0, 0.0]
    assert found["heaviest"].tolist() == [8.0, 1.0]
    assert found["held"].tolist() == [1.0, 8.0]


def test_shares_by_distance_and_held_by_a_sixteenth():
    centres = ring(8, 2.0)
    points = np.concatenate([np.repeat(centres[:1], 15, 0), centres[1:2] * 1.1])
    shares = mode_shares(points, centres, False)
    assert shares[:2].tolist() == [15 / 16, 1 / 16]
    assert count_covered_modes(shares[None, None]).item() == 2
    assert high_quality_share(points, Modes(centres, 0.06), False) == 15 / 16
    assert np.isnan(mode_shares(points, centres, True)).all()
    assert np.isnan(mode_shares(np.full((3, 2), np.inf), centres, False)).all()
