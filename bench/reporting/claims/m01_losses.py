"""Assess M1: with R1 and R2 the loss does not matter."""

import numpy as np

from bench import stats
from bench.reporting.analysis.factorial import Factorial
from bench.reporting.claims import modern
from bench.reporting.claims.claim import Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence
from bench.stats import DIFFERENT, EQUIVALENT

PENALTY, NONE = "r1_r2", "none"


def assess(evidence: Evidence) -> Finding:
    """Compare all pairs of losses with the penalty, where they shall be equivalent, and without."""
    parts: list[modern.Part] = []
    sentences = []
    for grid in modern.factorials(evidence, {"loss": (), "penalty": (NONE, PENALTY)}):
        of_penalty = {p: _kinds(grid, p) for p in (PENALTY, NONE)}
        parts += [_all_equivalent(of_penalty[PENALTY]), _some_different(of_penalty[NONE])]
        ratios = "; ".join(
            f"{'with R1 and R2' if p == PENALTY else 'without a penalty'} "
            + ", ".join(f"{name} {text}" for name, (text, _) in kinds.items())
            for p, kinds in of_penalty.items()
        )
        sentences.append(f"on {grid.group.dataset} the ratios of the losses' scores are, {ratios}")
    if not parts:
        return needs(modern.needs_factors("losses", "penalties none and r1_r2"))
    return modern.finding(parts, sentences)


def _kinds(grid: Factorial, penalty: str) -> dict[str, tuple[str, str]]:
    """Return pair of losses -> its ratio in words, and which kind of difference that is."""
    levels = {"penalty": penalty}
    if NONE in grid.factors.get("normalisation", ()):
        levels["normalisation"] = NONE
    losses = grid.factors["loss"]
    logs = np.array([grid.mean_at(**levels, loss=loss) for loss in losses])
    found = dict(modern.pairs(logs, losses))
    return {
        name: (
            modern.describe(one, len(found)),
            stats.compare(modern.interval(one, len(found)), modern.margin()),
        )
        for name, one in found.items()
    }


def _all_equivalent(kinds: dict[str, tuple[str, str]]) -> modern.Part:
    found = {kind for _, kind in kinds.values()}
    return True if found == {EQUIVALENT} else False if DIFFERENT in found else None


def _some_different(kinds: dict[str, tuple[str, str]]) -> modern.Part:
    found = {kind for _, kind in kinds.values()}
    return True if DIFFERENT in found else False if found == {EQUIVALENT} else None


CLAIM = Claim(
    name="M1",
    text="With R1 and R2 the loss does not matter; without a penalty it does.",
    source=f"{modern.SOURCE}, after Huang et al. 2025, arXiv:2501.05441",
    rule=(
        "Two parts, without normalisation. With penalty=r1_r2 all pairs of losses are equivalent "
        "(refuted: some pair differs by more); without a penalty some pair differs (refuted: all "
        f"are equivalent). {modern.judge_words()}"
    ),
    assess=assess,
)
