"""C5: results depend on the data set."""

from bench.reporting.claims.evidence import Evidence, significantly_better
from bench.reporting.claims.judged import NOT, PARTLY, REPRODUCED, Claim, Finding, needs
from bench.reporting.tables.summary import Table
from bench.reporting.text import words

DATA_SETS = 2


def judge(evidence: Evidence) -> Finding:
    """Which variants are first, or share the first one's group, on every data set."""
    tables = {d: t for d, t in evidence.rankings.items() if len(t.verdict.compared) > 1}
    if len(tables) < DATA_SETS:
        return needs("two data sets or more, each with enough seeds of several variants")
    firsts, leaders = {}, {}
    for dataset, table in tables.items():
        firsts[dataset] = first = _first(table)
        letters = table.verdict.letters
        leaders[dataset] = {n for n in letters if set(letters[n]) & set(letters[first])}
    everywhere = sorted(set.intersection(*leaders.values()))
    said = "; ".join(f"{d}: {words.listed(sorted(names))}" for d, names in leaders.items())
    found = f"First, or not significantly behind the first: {said}."
    if not everywhere:
        return Finding(REPRODUCED, f"{found} None is among them on every data set.")
    if len(set(firsts.values())) == 1:
        return Finding(NOT, f"{found} {min(firsts.values())} comes first on every data set.")
    return Finding(PARTLY, f"{found} On every data set: {words.listed(everywhere)}.")


def _first(table: Table) -> str:
    """The first by mean that nobody beats significantly: means leave out runs that diverged."""
    names = table.verdict.compared
    return next((name for name in names if not significantly_better(table, name)), names[0])


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
    judge=judge,
)
