"""Assess C12: results of one pair of networks do not carry over to others."""

from itertools import combinations

from scipy.stats import spearmanr

from bench.reporting.claims.claim import NOT, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence
from bench.reporting.tables.summary import Table

VARIANTS = 4  # of which an order can be compared at all
ALIKE = (0.5, 0.9)  # Spearman's rank correlation: below, orders differ; above, they agree


def assess(evidence: Evidence) -> Finding:
    """Compute the rank correlation of the variants' means on each pair of networks."""
    correlations = {}
    for table in evidence.rankings.values():
        means = _means(table)
        for first, second in combinations(sorted(means), 2):
            shared = sorted(means[first].keys() & means[second].keys())
            means_1, means_2 = ([means[n][v] for v in shared] for n in (first, second))
            if len(shared) < VARIANTS or min(len({*means_1}), len({*means_2})) < 2:
                continue  # equal means have no order
            rho = float(spearmanr(means_1, means_2).statistic)
            correlations[f"{table.group.dataset}, {first} and {second}"] = (rho, len(shared))
    if not correlations:
        return needs(
            f"{VARIANTS} variants or more, each on two networks of one data set; the suite's study "
            "holds the network fixed, as the study did"
        )
    lowest = min(rho for rho, _ in correlations.values())
    verdict = REPRODUCED if lowest < ALIKE[0] else PARTLY if lowest < ALIKE[1] else NOT
    parts = "; ".join(f"{name}: {rho:.2f} (n = {n})" for name, (rho, n) in correlations.items())
    return Finding(verdict, f"Spearman's correlation of the variants' means: {parts}.")


def _means(table: Table) -> dict[str, dict[str, float]]:
    """Return network -> variant -> mean score."""
    means: dict[str, dict[str, float]] = {}
    for row in table.rows:
        networks = {r.network for r in row.method.rows}
        if len(networks) == 1 and table.group.first in row.cells:
            by_variant = means.setdefault(networks.pop(), {})
            by_variant.setdefault(row.method.variant, row.cells[table.group.first].mean)
    return means


CLAIM = Claim(
    name="C12",
    text="The networks were held fixed, so that results need not carry over to others.",
    source="limitations of arXiv:1711.10337, from memory, unverified",
    rule=(
        "Spearman's correlation of the variants' means on two networks of one data set, "
        f"{VARIANTS} variants or more. Reproduced: below {ALIKE[0]} somewhere; not reproduced: "
        f"{ALIKE[1]} or more everywhere; partly: between."
    ),
    assess=assess,
)
