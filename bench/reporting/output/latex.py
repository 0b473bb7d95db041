"""Tables for a paper: LaTeX with booktabs, one file a table."""

from collections.abc import Iterable, Mapping, Sequence

from bench.reporting.claims.judged import Judged
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison, checkpoint_names, checkpoint_rows
from bench.reporting.tables.groups import UNSAFE
from bench.reporting.tables.published import published
from bench.reporting.tables.summary import Table
from bench.reporting.text import words
from bench.reporting.text.cells import cost_rows

SPECIAL = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    rounding.PLUS_MINUS: r"$\pm$",
    rounding.DASH: "--",
    words.DAGGER: r"$^\dagger$",
}


def latex_files(comparisons: Sequence[Comparison], claims: Sequence[Judged]) -> dict[str, str]:
    """Name -> content of every table."""
    files = {}
    for comparison in comparisons:
        slug = comparison.main.group.slug
        files[f"{slug}-cost.tex"] = _cost(comparison.main)
        if checkpoint_names(comparison):
            files[f"{slug}-checkpoints.tex"] = _checkpoints(comparison)
    rankings = [c for c in comparisons if not c.stage.searches]
    for name, tables in _by_protocol(rankings).items():
        files[f"scores-{name}.tex"] = _scores(name, tables)
    files["claims.tex"] = _claims(claims)
    return files


def escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    return "".join(SPECIAL.get(sign, sign) for sign in text)


def tabular(
    columns: str, head: Sequence[str], lines: Iterable[Sequence[str]], caption: str, label: str
) -> str:
    """A table environment, for the package booktabs."""
    rows = [" & ".join(escaped(cell) for cell in line) + r" \\" for line in (head, *lines)]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            f"\\caption{{{escaped(caption)}}}",
            f"\\label{{tab:{label}}}",
            f"\\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            rows[0],
            r"\midrule",
            *rows[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _by_protocol(comparisons: Iterable[Comparison]) -> dict[str, list[Table]]:
    """Name of protocol and extractor -> tables of one score, a data set each."""
    found: dict[str, list[Table]] = {}
    for comparison in comparisons:
        group = comparison.main.group
        name = f"{group.protocol['name']}-{group.protocol['extractor']}-{group.checkpoint}"
        name = UNSAFE.sub("_", name)
        found.setdefault(name, []).append(comparison.main)
    return found


def _scores(name: str, tables: Sequence[Table]) -> str:
    """The study's table of best scores: variants by data sets, the published number beside ours."""
    heads, columns = ["variant"], []
    for table in tables:
        theirs = _theirs(table)
        columns.append((table, theirs))
        heads += [_head(table, tables), *(["published FID"] if theirs else [])]
    names = dict.fromkeys(line.name for table in tables for line in table.lines)
    lines = []
    for line in names:
        cells = [line]
        for table, theirs in columns:
            cells.append(_mean(table, line))
            if theirs:
                cells.append(theirs.get(_variant(table, line), rounding.DASH))
        lines.append(cells)
    first = tables[0].group
    caption = (
        f"{words.full_title(first.first, first)}, {words.better(first.first, first)}: mean and "
        f"standard deviation over training seeds, {first.checkpoint} checkpoint. Published: Lucic "
        f"et al. 2018, FID of Inception features; {words.DAGGER} unverified."
    )
    return tabular("l" + "r" * (len(heads) - 1), heads, lines, caption, f"scores-{name}")


def _head(table: Table, tables: Sequence[Table]) -> str:
    """The data set; the name of the table where the data set has several."""
    group = table.group
    alone = [t.group.dataset for t in tables].count(group.dataset) == 1
    return group.dataset if alone else group.slug


def _theirs(table: Table) -> Mapping[str, str]:
    return {
        cell.variant: f"{cell.mean:.1f} {rounding.PLUS_MINUS} {cell.sd:.1f}"
        + ("" if cell.verified else words.DAGGER)
        for cell in published()
        if cell.dataset == table.group.dataset
    }


def _variant(table: Table, name: str) -> str:
    return next((li.contender.variant for li in table.lines if li.name == name), name)


def _mean(table: Table, name: str) -> str:
    metric = table.group.first
    cells = next((line.cells for line in table.lines if line.name == name), {})
    if metric not in cells:
        return rounding.DASH
    return rounding.spread(cells[metric], rounding.places_of(table)[metric])


def _checkpoints(comparison: Comparison) -> str:
    group, names = comparison.main.group, checkpoint_names(comparison)
    lines = [(line.name, *line.cells) for line in checkpoint_rows(comparison)]
    caption = (
        f"{words.full_title(group.first, group)} on {group.dataset} at each checkpoint: mean and "
        "standard deviation."
    )
    heads = ["variant", *names]
    return tabular("l" + "r" * len(names), heads, lines, caption, f"{group.slug}-checkpoints")


def _cost(table: Table) -> str:
    heads = [
        "variant", "finished", "diverged", "failed", "unfinished", "d steps", "g steps", "images",
        "seconds", "peak GiB",
    ]  # fmt: skip
    caption = (
        f"Runs on {table.group.dataset} and what they took: counts, then medians over finished "
        "runs; memory is the largest of all."
    )
    lines = cost_rows(table)
    return tabular("l" + "r" * 9, heads, lines, caption, f"{table.group.slug}-cost")


def _claims(claims: Sequence[Judged]) -> str:
    lines = [(claim.name, claim.claim, claim.verdict, claim.found) for claim in claims]
    caption = "Claims of Lucic et al. 2018, judged by rules over the rows."
    heads = ("", "claim", "verdict", "found")
    return tabular("lp{4.5cm}p{2cm}p{6.5cm}", heads, lines, caption, "claims")
