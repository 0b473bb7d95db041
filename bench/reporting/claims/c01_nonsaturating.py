"""C1: nothing consistently beats the non-saturating GAN."""

from bench import stats
from bench.reporting.claims.evidence import (
    Evidence,
    line_of,
    of_study,
    ranked,
    significantly_better,
)
from bench.reporting.claims.judged import NOT, OPEN, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.tables.summary import LEVEL, RESAMPLES, Table, generator, outcomes
from bench.reporting.text import words

DATA_SETS = 2  # fewer cannot show consistency


def judge(evidence: Evidence) -> Finding:
    """On which data sets each rival is better, by mean and significantly."""
    wins: dict[str, dict[str, tuple[bool, bool]]] = {}
    tables = {}
    for dataset, table in evidence.rankings.items():
        lines = ranked(table)
        ours = line_of(lines, "ns_gan")
        rivals = [line for line in of_study(lines) if line.contender.variant != "ns_gan"]
        if ours is None or not rivals:
            continue
        tables[dataset] = table
        better, order = significantly_better(table, ours.name), list(lines)
        for line in rivals:
            ahead = order.index(line.name) < order.index(ours.name)
            known = wins.setdefault(line.contender.variant, {}).get(dataset, (False, False))
            won = (ahead or known[0], line.name in better or known[1])  # by any of its settings
            wins[line.contender.variant][dataset] = won
    if not tables:
        return needs(
            "ns_gan and another of the study's variants with enough seeds on two data sets or more"
        )
    said = "; ".join(f"on {dataset} {_said(table)}" for dataset, table in tables.items())
    found = f"{said[0].upper()}{said[1:]}."
    if len(tables) < DATA_SETS:
        return Finding(OPEN, f"Needs two data sets or more: one shows no consistency. {found}")
    everywhere = [list(won.values()) for won in wins.values() if len(won) == len(tables)]
    if any(all(surely for _, surely in won) for won in everywhere):
        return Finding(NOT, found)
    mostly = [
        all(ahead for ahead, _ in won) and sum(surely for _, surely in won) > len(won) / 2
        for won in everywhere
    ]
    return Finding(PARTLY if any(mostly) else REPRODUCED, found)


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
        "5 % for all pairs together, diverged runs last). Not reproduced: one of the study's eight "
        "does so on every data set; partly: one is ahead by mean on every data set and beats it on "
        "more than half, as WGAN is in the study's own table; reproduced: otherwise. At least two "
        "data sets."
    ),
    judge=judge,
)
