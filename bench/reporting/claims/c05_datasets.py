"""C5: results depend on the data set."""

from bench.reporting import words
from bench.reporting.claims.evidence import Evidence
from bench.reporting.claims.judged import NOT, PARTLY, REPRODUCED, Claim, Finding, needs

DATA_SETS = 2


def judge(evidence: Evidence) -> Finding:
    """Which variants are first, or share the first one's group, on every data set."""
    tables = {d: t for d, t in evidence.rankings.items() if len(t.verdict.compared) > 1}
    if len(tables) < DATA_SETS:
        return needs("two data sets or more, each with enough seeds of several variants")
    leaders = {}
    for dataset, table in tables.items():
        first, *others = table.verdict.compared
        letters = table.verdict.letters
        shared = {name for name in others if set(letters[name]) & set(letters[first])}
        leaders[dataset] = {first, *shared}
    everywhere = sorted(set.intersection(*leaders.values()))
    said = "; ".join(f"{d}: {words.listed(sorted(names))}" for d, names in leaders.items())
    found = f"First, or not significantly behind the first: {said}."
    firsts = {table.verdict.compared[0] for table in tables.values()}
    if not everywhere:
        return Finding(REPRODUCED, f"{found} None is among them on every data set.")
    if len(firsts) == 1:
        return Finding(NOT, f"{found} {firsts.pop()} comes first on every data set.")
    return Finding(PARTLY, f"{found} On every data set: {words.listed(everywhere)}.")


CLAIM = Claim(
    name="C5",
    text="Results depend on the data set: no model wins on all.",
    source="the table of best FIDs of arXiv:1711.10337",
    rule=(
        "Reproduced: no variant is first, or without significant difference from the first, on "
        "every data set; not reproduced: one variant comes first by mean on all; partly: "
        "otherwise. At least two data sets."
    ),
    judge=judge,
)
