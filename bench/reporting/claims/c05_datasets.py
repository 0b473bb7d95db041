"""Assess C5: results depend on the data set."""

from bench.reporting.claims.claim import NOT, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.claims.evidence import Evidence, significantly_better
from bench.reporting.text import words

DATA_SETS = 2


def assess(evidence: Evidence) -> Finding:
    """Find the variants that are first, or share the first one's group, on every data set."""
    tables = {d: t for d, t in evidence.rankings.items() if len(t.ranking.compared) > 1}
    if len(tables) < DATA_SETS:
        return needs("two data sets or more, each with enough seeds of several variants")
    firsts, leaders = {}, {}
    for dataset, table in tables.items():
        names, letters = table.ranking.compared, table.ranking.letters
        # The best mean that no other beats significantly: means leave out diverged runs.
        unbeaten = (name for name in names if not significantly_better(table, name))
        firsts[dataset] = first = next(unbeaten, names[0])
        leaders[dataset] = {n for n in letters if set(letters[n]) & set(letters[first])}
    everywhere = sorted(set.intersection(*leaders.values()))
    parts = [f"{d}: {words.join_with_and(sorted(names))}" for d, names in leaders.items()]
    explanation = f"First, or not significantly behind the first: {'; '.join(parts)}."
    if not everywhere:
        return Finding(REPRODUCED, f"{explanation} None is among them on every data set.")
    if len(set(firsts.values())) == 1:
        return Finding(NOT, f"{explanation} {min(firsts.values())} comes first on every data set.")
    return Finding(PARTLY, f"{explanation} On every data set: {words.join_with_and(everywhere)}.")


CLAIM = Claim(
    name="C5",
    text="Results depend on the data set: no model wins on all.",
    source="the table of best FIDs of arXiv:1711.10337",
    rule=(
        "Reproduced: no variant is first, or without significant difference from the first, on "
        "every data set; not reproduced: one variant comes first by mean on all; partly: "
        "otherwise. First is the best mean that nobody beats significantly with diverged runs "
        "counted. At least two data sets."
    ),
    assess=assess,
)
