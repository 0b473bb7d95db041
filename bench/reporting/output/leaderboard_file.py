"""Write the tables of a study as one file to pass on: CSV, Markdown or LaTeX."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import write_bytes
from bench.core.text import encode
from bench.reporting.archive.row_table import format_csv
from bench.reporting.output.latex import format_table
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.summary import Cell, Table
from bench.reporting.text import words
from bench.reporting.text.cells import has_intervals, real_baselines, score_rows
from bench.reporting.text.markdown import escape_markdown


def write_leaderboard(comparisons: Sequence[Comparison], path: Path) -> None:
    """Write the main table of each comparison into one file, of the kind that its suffix names.

    Raises:
        UserError: the suffix is another one, or the file cannot be written.
    """
    if path.suffix not in FORMATS:
        fix = f"let it end in {', '.join(FORMATS)}"
        raise UserError(f"a leaderboard is no {path.suffix or 'file without a suffix'}", fix=fix)
    tables = [comparison.main for comparison in comparisons]
    write_bytes(path, encode(FORMATS[path.suffix](tables)))


def _format_csv(tables: Sequence[Table]) -> str:
    """Format a line for each method and kind of real samples, with all digits."""
    names = list(dict.fromkeys(name for table in tables for name in table.group.metrics))
    parts = ("", "_sd", "_interval_low", "_interval_high")
    columns = ["table", "place", "variant", "group", "runs", "planned"]
    columns += [f"{name}{part}" for name in names for part in parts]
    return format_csv(columns, [record for table in tables for record in _records(table)])


def _records(table: Table) -> list[dict[str, Any]]:
    group, records = table.group, []
    for place, row in enumerate(table.rows, start=1):
        cell = row.cells.get(group.first)
        counts = {"runs": cell.n if cell else 0, "planned": len(row.method.runs)}
        ranked = {"place": place if cell else None, "group": table.ranking.letters.get(row.name)}
        records.append({"variant": row.name, **ranked, **counts, **_numbers(row.cells)})
    real = [{"variant": name, **_numbers(cells)} for name, _, cells in real_baselines(table)]
    return [{"table": group.slug, **record} for record in (*records, *real)]


def _numbers(cells: Mapping[str, Cell]) -> dict[str, float | None]:
    """Return the columns of each score: mean, sd and the bounds of the interval."""
    numbers: dict[str, float | None] = {}
    for name, cell in cells.items():
        low, high = cell.interval or (None, None)
        numbers |= {name: cell.mean, f"{name}_sd": cell.sd}
        numbers |= {f"{name}_interval_low": low, f"{name}_interval_high": high}
    return numbers


def _format_markdown(tables: Sequence[Table]) -> str:
    """Format a heading, a table and a sentence on its order for each table."""
    sections = []
    for table in tables:
        group = table.group
        head, *body = _text_rows(table)
        lines = [f"| {' | '.join(map(escape_markdown, line))} |" for line in (head, *body)]
        lines.insert(1, f"|{' --- |' * len(head)}")
        title = f"{group.dataset}, protocol {words.protocol_title(group)}"
        scored = f"{words.main_score_title(group)}. {words.describe_samples(group)}."
        texts = [f"## {escape_markdown(title)}", escape_markdown(scored), "\n".join(lines)]
        notes = words.describe_sources([table]), words.describe_ranking(table)
        sections += [*texts, escape_markdown(" ".join(filter(None, notes)))]
    return "\n\n".join(sections) + "\n"


def _format_latex(tables: Sequence[Table]) -> str:
    """Format a table for the package booktabs for each table."""
    texts = []
    for table in tables:
        titles, *rows = _text_rows(table)
        title, order = words.main_score_title(table.group), words.describe_ranking(table)
        caption = f"{title}: mean and standard deviation. {order}"
        columns, label = "rl" + "r" * (len(titles) - 2), f"leaderboard-{table.group.slug}"
        texts.append(format_table(columns, titles, rows, caption, label))
    return "\n".join(texts)


def _text_rows(table: Table) -> list[list[str]]:
    """Return titles and rows as text; the columns of groups and intervals only if there are any."""
    rows, first = score_rows(table), next(iter(table.group.metrics))
    has_groups, with_intervals = bool(table.ranking.letters), has_intervals(table)
    titles = ["", "variant", *["group"] * has_groups, "runs", words.metric_title(first)]
    titles += ["95% interval"] * with_intervals
    titles += [words.metric_title(name) for name in list(table.group.metrics)[1:]]
    lines = [titles]
    for place, row in enumerate(rows, start=1):
        scores = [score.mean for score in row.scores]
        has_place = not row.is_baseline and first in table.rows[place - 1].cells
        line = [str(place) if has_place else "", row.name, *[row.letters] * has_groups, row.seeds]
        line += [scores[0], *[row.scores[0].interval] * with_intervals, *scores[1:]]
        lines.append(line)
    return lines


FORMATS: dict[str, Callable[[Sequence[Table]], str]] = {
    ".csv": _format_csv,
    ".md": _format_markdown,
    ".tex": _format_latex,
}
