"""Format tables for a paper: LaTeX with booktabs, one file for each table."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from bench.core.text import distinct_file_names, printable
from bench.reporting.analysis.factorial import Factorial, read_factorial
from bench.reporting.claims.claim import ClaimResult
from bench.reporting.output import effects_table
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison, checkpoint_names, checkpoint_rows
from bench.reporting.tables.published import published_scores
from bench.reporting.tables.summary import Table
from bench.reporting.text import words
from bench.reporting.text.cells import COST_TITLES, cost_rows

SPECIAL = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": "`{}",
    rounding.PLUS_MINUS: r"$\pm$",
    rounding.DASH: "--",
    words.DAGGER: r"$^\dagger$",
}
LIGATURE = re.compile(r"([-'])(?=\1)")  # two hyphens would be a dash
ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"
LETTERS = "\u00c6\u00d8\u00df\u00e6\u00f8\u0131\u0141\u0142\u0152\u0153"  # without accents


def build_latex_files(study: Sequence[Comparison], claims: Sequence[ClaimResult]) -> dict[str, str]:
    """Build all tables: file name -> content."""
    files = {}
    for comparison in study:
        slug = comparison.main.group.slug
        files[f"{slug}-cost.tex"] = _cost_table(comparison.main)
        if (factorial := read_factorial(comparison.main.group)) is not None:
            files[f"{slug}-effects.tex"] = _effect_table(factorial)
        if checkpoint_names(comparison):
            files[f"{slug}-checkpoints.tex"] = _checkpoint_table(comparison)
    for name, tables in _by_protocol(c for c in study if not c.stage.is_search).items():
        files[f"scores-{name}.tex"] = _score_table(name, tables)
    return files | ({"claims.tex": _claim_table(claims)} if claims else {})


def escape_latex(text: str) -> str:
    """Escape text so that LaTeX prints it as it is; letters that pdflatex lacks as their escapes.

    No cell begins with a bracket or a star, which would belong to the line break before it.
    """
    parts = LIGATURE.sub("\\1\0", unicodedata.normalize("NFC", printable(text))).split("\0")
    escaped = "{}".join("".join(map(_escape_sign, part)) for part in parts)
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped[:1] in ("[", "*") else escaped


def _escape_sign(sign: str) -> str:
    parts = unicodedata.normalize("NFD", sign)
    accented = len(parts) == 2 and parts[0].isascii() and parts[1] in ACCENTS and sign < "\u0180"
    if sign in SPECIAL or sign.isascii() or accented or sign in LETTERS:
        return SPECIAL.get(sign, sign)
    return escape_latex(sign.encode("unicode_escape").decode())


def format_table(
    columns: str, titles: Sequence[str], rows: Iterable[Sequence[str]], caption: str, label: str
) -> str:
    """Format a table environment, for the package booktabs.

    Args:
        columns: column types, "lrr" say.
        label: what follows "tab:" in the label.
    """
    head, *body = [" & ".join(map(escape_latex, row)) + r" \\" for row in (titles, *rows)]
    lines = "\n".join([r"\toprule", head, r"\midrule", *body, r"\bottomrule"])
    return rf"""% needs \usepackage{{booktabs}}
\begin{{table}}
\centering
\caption{{{escape_latex(caption)}}}
\label{{tab:{label}}}
\begin{{tabular}}{{{columns}}}
{lines}
\end{{tabular}}
\end{{table}}
"""


def _by_protocol(comparisons: Iterable[Comparison]) -> dict[str, list[Table]]:
    """Return "protocol-extractor-checkpoint" -> tables, one for each data set."""
    tables: dict[str, list[Table]] = {}
    for comparison in comparisons:
        group = comparison.main.group
        kind = "-conditional" * group.conditional
        parts = f"{group.protocol['name']}{kind}", group.protocol["extractor"], group.checkpoint
        name = "-".join(map(str, parts))
        tables.setdefault(name, []).append(comparison.main)
    names = distinct_file_names(tables)
    return {names[name]: members for name, members in tables.items()}


def _score_table(name: str, tables: Sequence[Table]) -> str:
    """Format variants by data sets, each score beside the published one, as the study's table."""
    titles, columns = ["variant"], []
    datasets = [table.group.dataset for table in tables]
    for table in tables:
        alone = datasets.count(table.group.dataset) == 1
        titles.append(table.group.dataset if alone else table.group.slug)
        places = rounding.decimals_by_metric(table)[table.group.first]
        cells = {row.name: row.cells.get(table.group.first) for row in table.rows}
        columns.append({name: rounding.format_mean_sd(c, places) for name, c in cells.items()})
        if table.group.first == "frechet" and (published := _published_texts(table)):
            titles.append("published FID")
            columns.append(published)
    names = dict.fromkeys(row.name for table in tables for row in table.rows)
    rows = [[name, *(texts.get(name, rounding.DASH) for texts in columns)] for name in names]
    group = tables[0].group
    caption = (
        f"{words.main_score_title(group)}: mean and standard deviation over training seeds, "
        f"{group.checkpoint} checkpoint. Published: Lucic et al. 2018, FID of Inception features; "
        f"{words.DAGGER} unverified."
    )
    return format_table("l" + "r" * (len(titles) - 1), titles, rows, caption, f"scores-{name}")


def _published_texts(table: Table) -> dict[str, str]:
    """Return the numbers by variant, and again by method where its name adds settings."""
    texts = {
        cell.variant: f"{cell.mean:.1f} {rounding.PLUS_MINUS} {cell.sd:.1f}"
        + ("" if cell.verified else words.DAGGER)
        for cell in published_scores()
        if cell.dataset == table.group.dataset and not table.group.conditional
    }
    return texts | {row.name: texts[v] for row in table.rows if (v := row.method.variant) in texts}


def _checkpoint_table(comparison: Comparison) -> str:
    group, names = comparison.main.group, checkpoint_names(comparison)
    rows = [(name, *texts) for name, texts in checkpoint_rows(comparison)]
    kind = ", class-conditional runs," * group.conditional
    title = f"{words.full_metric_title(group.first, group)} on {group.dataset}{kind}"
    caption = f"{title} at each checkpoint: mean and standard deviation."
    columns, label = "l" + "r" * len(names), f"{group.slug}-checkpoints"
    return format_table(columns, ["variant", *names], rows, caption, label)


def _effect_table(factorial: Factorial) -> str:
    caption = f"{factorial.group.dataset}. {effects_table.describe_effects(factorial)}"
    rows, titles = effects_table.effect_rows(factorial), effects_table.COLUMN_TITLES
    return format_table("lrr", titles, rows, caption, f"{factorial.group.slug}-effects")


def _cost_table(table: Table) -> str:
    kind = "Class-conditional runs" if table.group.conditional else "Runs"
    caption = (
        f"{kind} on {table.group.dataset} and what they took: counts, then medians over finished "
        "runs; memory is the largest of all."
    )
    columns, label = "lrrrrrrrrr", f"{table.group.slug}-cost"
    return format_table(columns, COST_TITLES, cost_rows(table), caption, label)


def _claim_table(claims: Sequence[ClaimResult]) -> str:
    rows = [(claim.name, claim.claim, claim.verdict, claim.explanation) for claim in claims]
    caption = (
        "Claims judged by rules over the rows: C of Lucic et al. 2018, M about what came after it."
    )
    titles = ("", "claim", "verdict", "found")
    return format_table("lp{4.5cm}p{2cm}p{6.5cm}", titles, rows, caption, "claims")
