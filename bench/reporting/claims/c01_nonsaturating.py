"""C1: nothing consistently beats the non-saturating GAN."""

from bench import stats
from bench.reporting import words
from bench.reporting.claims.evidence import (
    Evidence,
    line_of,
    of_study,
    ranked,
    significantly_better,
)
from bench.reporting.claims.judged import NOT, OPEN, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.summary import LEVEL, RESAMPLES, Table, generator, outcomes

DATA_SETS = 2  # fewer cannot show consistency


def judge(evidence: Evidence) -> Finding:
    """Count for each rival the data sets on which it is significantly better."""
    ahead: dict[str, list[bool]] = {}
    tables = {}
    for dataset, table in evidence.rankings.items():
        lines = ranked(table)
        ours = line_of(lines, "ns_gan")
        rivals = [line for line in of_study(lines) if line.contender.variant != "ns_gan"]
        if ours is None or not rivals:
            continue
        tables[dataset] = table
        better = significantly_better(table, ours.name)
        for line in rivals:
            ahead.setdefault(line.contender.variant, []).append(line.name in better)
    if not tables:
        return needs(
            "ns_gan and another of the study's variants with enough seeds on two data sets or more"
        )
    said = "; ".join(f"on {dataset} {_said(table)}" for dataset, table in tables.items())
    found = f"{said[0].upper()}{said[1:]}."
    if len(tables) < DATA_SETS:
        wanted = f"Needs {words.counted(DATA_SETS, 'data set')} or more: one shows no consistency"
        return Finding(OPEN, f"{wanted}. {found}")
    everywhere = {v: wins for v, wins in ahead.items() if len(wins) == len(tables)}
    if any(all(wins) for wins in everywhere.values()):
        return Finding(NOT, found)
    return Finding(PARTLY if any(sum(w) > 1 for w in everywhere.values()) else REPRODUCED, found)


def _said(table: Table) -> str:
    """wgan_gp (P 0.98 [0.91, 1.00]) is significantly better."""
    ours = line_of(ranked(table), "ns_gan")
    assert ours is not None
    costs = outcomes(table.group, ours.contender)
    parts = []
    for line in of_study(ranked(table)):
        if line.name in significantly_better(table, ours.name):
            found = stats.improvement_interval(
                outcomes(table.group, line.contender),
                costs,
                level=LEVEL,
                resamples=RESAMPLES,
                generator=generator(),
            )
            parts.append(f"{line.name} ({found.value:.2f} [{found.low:.2f}, {found.high:.2f}])")
    if not parts:
        return "none of the study's other variants is significantly better than the NS GAN"
    return (
        "significantly better than the NS GAN, with the probability that a run of theirs is "
        f"better than one of its: {words.listed(parts)}"
    )


CLAIM = Claim(
    name="C1",
    text="No tested algorithm consistently beats the non-saturating GAN.",
    source="abstract of arXiv:1711.10337",
    rule=(
        "A rival beats it on a data set where it is significantly better (exact rank-sum tests, "
        "5 % for all pairs together, diverged runs last). Reproduced: no rival of the study's "
        "eight does so on more than one data set; partly: one does on several, but not on all; "
        "not reproduced: one does on all. At least two data sets."
    ),
    judge=judge,
)
