"""C2: most models reach similar scores when tuned."""

import numpy as np

from bench.reporting.claims.evidence import Evidence, gans, ranked
from bench.reporting.claims.judged import Claim, Finding, needs, overall
from bench.reporting.tables.methods import Method
from bench.reporting.tables.search import Search
from bench.reporting.tables.summary import LEVEL, RESAMPLES, Table, generator

SIMILAR = 1.5  # times the best mean; holds for most of the study's GANs on each of its data sets
FEWEST = 3  # GANs of which "most" can be said


def judge(evidence: Evidence) -> Finding:
    """Share of the GANs whose mean is within SIMILAR of the best GAN's."""
    holds, said = [], []
    for dataset, table in evidence.rankings.items():
        lines = gans(ranked(table))
        there = any(table.group.first in line.cells for line in lines)
        if dataset not in evidence.searches or len(lines) < FEWEST or not there:
            continue
        scores = [_scores(li.contender, table, evidence.searches[dataset]) for li in lines]
        share = _share([values.mean() for values in scores])
        draws = generator()
        resampled = np.array(
            [
                [draws.choice(v, size=(RESAMPLES, len(v))).mean(1) for v in scores],
            ]
        )[0]
        shares = np.array([_share(means) for means in resampled.T])
        low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        holds.append(share > 0.5)
        said.append(
            f"on {dataset} {round(share * len(scores))} of {len(scores)} tuned GANs have a mean "
            f"within {SIMILAR} times the best one's (share {share:.2f} [{low:.2f}, {high:.2f}])"
        )
    if not holds:
        return needs(f"a search and then several seeds of what it chose, for {FEWEST} GANs or more")
    found = "; ".join(said)
    return Finding(overall(holds), f"{found[0].upper()}{found[1:]}.")


def _scores(contender: Method, table: Table, search: Search) -> np.ndarray:
    """Scores of the runs that ended; of one that diverged that of the untrained generator."""
    scores = [value for value, _ in contender.scored(table.group.first)]
    return np.array(scores + [search.untrained] * contender.counts["diverged"])


def _share(means: list[float] | np.ndarray) -> float:
    means = np.asarray(means)
    return float((means <= SIMILAR * means.min()).mean())


CLAIM = Claim(
    name="C2",
    text="Most models reach similar scores with enough tuning and random restarts.",
    source="abstract of arXiv:1711.10337",
    rule=(
        "On a data set it holds if more than half of the GANs, each with the configuration that "
        f"a search chose, have a mean within {SIMILAR} times the best one's, where a run that "
        "diverged counts as the untrained generator: so do the study's own numbers on all four of "
        "its data sets. Reproduced: on every data set here; partly: on some."
    ),
    judge=judge,
)
