"""Assess C1: nothing consistently beats the non-saturating GAN."""

from bench.reporting.analysis.rankings import improvement_interval, outcomes_by_method
from bench.reporting.claims import claim
from bench.reporting.claims import evidence as select
from bench.reporting.claims.claim import Claim, Finding
from bench.reporting.claims.evidence import Evidence, significantly_better
from bench.reporting.tables.summary import Table
from bench.reporting.text import words

DATA_SETS = 2  # fewer cannot show consistency


def assess(evidence: Evidence) -> Finding:
    """Find on which data sets each rival is better, by mean and significantly."""
    parts: list[str] = []
    wins: dict[str, dict[str, tuple[bool, bool]]] = {}  # by variant and data set: ahead, surely
    for dataset, table in evidence.rankings.items():
        rows = select.compared_rows(table)
        ns_gan = select.find_row(rows, "ns_gan")
        rivals = [row for row in select.study_rows(rows) if row.method.variant != "ns_gan"]
        if ns_gan is None or not rivals:
            continue
        better, order = significantly_better(table, ns_gan.name), [row.name for row in rows]
        parts.append(f"on {dataset} {_describe_better(table, ns_gan.name, better)}")
        for row in rivals:
            of_rival = wins.setdefault(row.method.variant, {})
            ahead, surely = of_rival.get(dataset, (False, False))  # by any of its settings
            ahead = ahead or order.index(row.name) < order.index(ns_gan.name)
            of_rival[dataset] = (ahead, surely or row.name in better)
    if not parts:
        rivals_needed = "another of the study's variants with enough seeds on two data sets or more"
        return claim.needs(f"ns_gan and {rivals_needed}")
    explanation = claim.join_parts(parts)
    if len(parts) < DATA_SETS:
        needed = "Needs two data sets or more, since one cannot show consistency."
        return Finding(claim.OPEN, f"{needed} {explanation}")
    everywhere = [list(won.values()) for won in wins.values() if len(won) == len(parts)]
    if any(all(surely for _, surely in won) for won in everywhere):
        return Finding(claim.NOT, explanation)
    mostly = [
        all(ahead for ahead, _ in won) and sum(surely for _, surely in won) > len(won) / 2
        for won in everywhere
    ]
    return Finding(claim.PARTLY if any(mostly) else claim.REPRODUCED, explanation)


def _describe_better(table: Table, ns_gan: str, better: list[str]) -> str:
    """List the study's variants among the better ones, each with its probability and interval."""
    costs, parts = outcomes_by_method(table), []
    for row in select.study_rows(row for row in table.rows if row.name in better):
        p = improvement_interval(costs[row.name], costs[ns_gan])
        parts.append(f"{row.name} ({p.value:.2f} [{p.low:.2f}, {p.high:.2f}])")
    if not parts:
        return "none of the study's other variants is significantly better than the NS GAN"
    return (
        f"{words.join_with_and(parts)} {'is' if len(parts) == 1 else 'are'} significantly better "
        "than the NS GAN (in brackets the probability that one run beats one run of the NS GAN)"
    )


CLAIM = Claim(
    name="C1",
    text="No tested algorithm consistently beats the non-saturating GAN.",
    source="abstract of arXiv:1711.10337",
    rule=(
        "A rival beats it on a data set where it is significantly better (exact rank-sum tests, "
        "5 % for all pairs together, diverged runs last). Not reproduced: one of the study's eight "
        "does so on every data set; partly: one is ahead by mean on every data set and beats it on "
        "more than half, as WGAN is in the study's own table; reproduced: otherwise. At least two "
        "data sets."
    ),
    assess=assess,
)
