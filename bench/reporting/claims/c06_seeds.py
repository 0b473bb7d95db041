"""Assess C6: seeds matter, and some runs are outliers."""

import itertools

import numpy as np

from bench.reporting.analysis.rankings import improvement_interval, outcomes_by_method
from bench.reporting.claims.claim import Claim, Finding, combine_parts, join_parts, needs
from bench.reporting.claims.evidence import Evidence
from bench.reporting.tables.summary import Table
from bench.stats import INTERVAL_RUNS

WRONG = 0.1  # chance of the wrong order by one seed each, from which on seeds matter
OUTLIER = 2.0  # times the median, in the worse direction


def assess(evidence: Evidence) -> Finding:
    """Compute how often one seed orders neighbours wrongly, and count runs far from the median."""
    wrong, outlying, parts = [], [], []
    for dataset, table in evidence.rankings.items():
        scored = {row.name for row in table.rows if table.group.first in row.cells}
        outcomes = {n: costs for n, costs in outcomes_by_method(table).items() if n in scored}
        costs = {name: values for name, values in outcomes.items() if len(values) >= INTERVAL_RUNS}
        if len(costs) < 2:
            continue
        neighbours = itertools.pairwise(costs)  # in the table's order
        chances = {(a, b): improvement_interval(costs[b], costs[a]) for a, b in neighbours}
        (first, second), chance = max(chances.items(), key=lambda item: item[1].value)
        wrong.append(chance.value >= WRONG)
        outliers = {name: _count_outliers(values, table) for name, values in costs.items()}
        count, runs = sum(outliers.values()), sum(map(len, costs.values()))
        outlying.append(count > 0)
        parts.append(
            f"on {dataset} one seed of {first} and one of {second}, neighbours in the table, give "
            f"the wrong order with probability {chance.value:.2f} [{chance.low:.2f}, "
            f"{chance.high:.2f}]; {count} of {runs} runs diverged or are {OUTLIER:.0f} times worse "
            "than their variant's median"
        )
    if not parts:
        return needs(f"{INTERVAL_RUNS} seeds or more of two variants or more")
    return Finding(combine_parts([any(wrong), any(outlying)]), join_parts(parts))


def _count_outliers(costs: list[float], table: Table) -> int:
    values = np.array(costs)
    median = np.median(values)
    bound = OUTLIER * median if table.group.sign > 0 else median / OUTLIER
    return int((np.isinf(values) | (values > bound)).sum())


CLAIM = Claim(
    name="C6",
    text="Random seeds matter: the best configurations vary over seeds, some runs are outliers.",
    source="50 re-runs in compare_gan v1; the marked cells of the table, from memory",
    rule=(
        "Two parts. Order: one seed each puts some neighbours of the table in the wrong order "
        f"with probability {WRONG} or more. Outliers: some run diverged or is {OUTLIER:.0f} times "
        "worse than its variant's median. Reproduced: both on some data set; partly: one. At "
        f"least {INTERVAL_RUNS} seeds."
    ),
    assess=assess,
)
