"""C6: seeds matter, and some runs are outliers."""

import numpy as np

from bench import stats
from bench.reporting.claims.evidence import Evidence, ranked
from bench.reporting.claims.judged import Claim, Finding, needs, overall
from bench.reporting.tables.summary import LEVEL, RESAMPLES, Table, generator, outcomes
from bench.stats import INTERVAL_RUNS

WRONG = 0.1  # chance of the wrong order by one seed each, from which on seeds matter
OUTLIER = 2.0  # times the median, in the worse direction


def judge(evidence: Evidence) -> Finding:
    """How often one seed each orders neighbours wrongly, and runs far from their median."""
    wrong, outlying, said = [], [], []
    for dataset, table in evidence.rankings.items():
        found = {
            name: outcomes(table.group, line.contender)
            for name, line in ranked(table).items()
            if table.group.first in line.cells
        }
        costs = {name: values for name, values in found.items() if len(values) >= INTERVAL_RUNS}
        if len(costs) < 2:
            continue
        chances = _wrong_orders(costs)
        (first, second), chance = max(chances.items(), key=lambda item: item[1].value)
        wrong.append(chance.value >= WRONG)
        strays = {name: _outliers(values, table) for name, values in costs.items()}
        count, runs = sum(strays.values()), sum(map(len, costs.values()))
        outlying.append(count > 0)
        said.append(
            f"on {dataset} one seed each orders {first} and {second}, neighbours by mean, wrongly "
            f"with probability {chance.value:.2f} [{chance.low:.2f}, {chance.high:.2f}]; {count} "
            f"of {runs} runs diverged or are {OUTLIER:.0f} times worse than their median"
        )
    if not said:
        return needs(f"{INTERVAL_RUNS} seeds or more of two variants or more")
    text = "; ".join(said)
    return Finding(overall([any(wrong), any(outlying)]), f"{text[0].upper()}{text[1:]}.")


def _wrong_orders(costs: dict[str, list[float]]) -> dict[tuple[str, str], stats.Interval]:
    """Neighbours in the table's order -> P(a run of the second is better than one of the first)."""
    names = list(costs)
    return {
        (a, b): stats.improvement_interval(
            costs[b], costs[a], level=LEVEL, resamples=RESAMPLES, generator=generator()
        )
        for a, b in zip(names, names[1:], strict=False)
    }


def _outliers(costs: list[float], table: Table) -> int:
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
    judge=judge,
)
