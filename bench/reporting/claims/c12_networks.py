"""C12: results of one pair of networks do not carry over to others."""

from scipy.stats import spearmanr

from bench.reporting.claims.evidence import Evidence
from bench.reporting.claims.judged import NOT, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.tables.summary import Table

VARIANTS = 4  # of which an order can be compared at all
ALIKE = (0.5, 0.9)  # Spearman's rank correlation: below, orders differ; above, they agree


def judge(evidence: Evidence) -> Finding:
    """Rank correlation of the variants' means on two networks."""
    found = {}
    for table in evidence.rankings.values():
        means = _means(table)
        names = sorted(means)
        for index, first in enumerate(names):
            for second in names[index + 1 :]:
                shared = sorted(means[first].keys() & means[second].keys())
                if len(shared) >= VARIANTS:
                    ours, theirs = ([means[n][v] for v in shared] for n in (first, second))
                    if min(len({*ours}), len({*theirs})) < 2:
                        continue  # all alike have no order
                    rho = float(spearmanr(ours, theirs).statistic)
                    found[f"{table.group.dataset}, {first} and {second}"] = (rho, len(shared))
    if not found:
        return needs(
            f"{VARIANTS} variants or more, each on two networks of one data set; the suite's study "
            "holds the network fixed, as the study did"
        )
    lowest = min(rho for rho, _ in found.values())
    verdict = REPRODUCED if lowest < ALIKE[0] else PARTLY if lowest < ALIKE[1] else NOT
    said = "; ".join(f"{name}: {rho:.2f} (n = {n})" for name, (rho, n) in found.items())
    return Finding(verdict, f"Spearman's correlation of the variants' means: {said}.")


def _means(table: Table) -> dict[str, dict[str, float]]:
    """network -> variant -> mean score."""
    found: dict[str, dict[str, float]] = {}
    for line in table.lines:
        networks = {m.row.network for m in line.contender.members if m.row is not None}
        if len(networks) == 1 and table.group.first in line.cells:
            inner = found.setdefault(networks.pop(), {})
            inner.setdefault(line.contender.variant, line.cells[table.group.first].mean)
    return found


CLAIM = Claim(
    name="C12",
    text="The networks were held fixed, so that results need not carry over to others.",
    source="limitations of arXiv:1711.10337, from memory, unverified",
    rule=(
        "Spearman's correlation of the variants' means on two networks of one data set, "
        f"{VARIANTS} variants or more. Reproduced: below {ALIKE[0]} somewhere; not reproduced: "
        f"{ALIKE[1]} or more everywhere; partly: between."
    ),
    judge=judge,
)
