"""Print a report in a terminal: one table for each comparison, and the path of the page."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable

from bench.core.text import shorten_names
from bench.reporting.output.sections import Report
from bench.reporting.output.summary_paragraph import describe_claim_counts
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.search import summarise_search
from bench.reporting.tables.summary import Table
from bench.reporting.text import words
from bench.reporting.text.cells import score_rows
from bench.reporting.text.search_table import COLUMN_TITLES, search_rows
from bench.reporting.text.terminal import CELL_LENGTH, cell, plain

MARK = "*"  # of the study's eight; plain ASCII, for any terminal
CELL_WIDTH = 40  # columns of the terminal from which on a name takes a second line
GAP = 2  # columns of the terminal between two of the table


def print_report(report: Report, console: Console | None = None) -> None:
    """Print the tables with what their order is worth, and the page's path as the last line."""
    console = console or Console()
    print_tables([section.comparison for section in report.sections], console)
    if claim_counts := describe_claim_counts(report.claims):
        console.print(plain(f"{claim_counts}\n"))
    console.print(plain(f"{words.describe_run_counts(report.sweep.counts)}."))
    console.print(plain(str(report.page)), soft_wrap=True)


def print_tables(comparisons: Iterable[Comparison], console: Console) -> None:
    """Print the main table of each comparison with what its order is worth."""
    for comparison in comparisons:
        if comparison.stage.is_search:
            _print_search(comparison.main, console)
        else:
            _print_table(comparison.main, console)


def _print_search(table: Table, console: Console) -> None:
    group = table.group
    heading = f"The search on {group.dataset}, protocol {words.protocol_title(group)}\n"
    console.print(plain(heading, "bold"))
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in COLUMN_TITLES:
        side: Literal["left", "right"] = "left" if title == "variant" else "right"
        shown.add_column(title, justify=side, overflow="fold")
    rows = search_rows(summarise_search(table))
    short = shorten_names((row[0] for row in rows), CELL_LENGTH)
    for name, *texts in rows:
        shown.add_row(*(cell(_ascii(text)) for text in (short[name], *texts)))
    console.print(shown)
    console.print(plain(f"{words.main_score_title(group)}; chosen on {_selection_split(table)}.\n"))


def _selection_split(table: Table) -> str:
    chosen = table.group.protocol.get("chosen")
    split = chosen.get("split") if isinstance(chosen, Mapping) else None
    return f"the {split or table.group.protocol.get('split', 'test')} split"


def _print_table(table: Table, console: Console) -> None:
    group = table.group
    which = "" if group.checkpoint == "final" else f", {group.checkpoint} checkpoint"
    heading = f"{group.dataset}, protocol {words.protocol_title(group)}{which}\n"
    console.print(plain(heading, style="bold"))
    padding = (0, GAP - 1, 0, 0)
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding, show_edge=False)
    columns = _columns(table, console.width)
    for title, cells in columns:
        side: Literal["left", "right"] = "left" if title in ("variant", "group") else "right"
        width = _width(title, cells)
        look: Any = {"justify": side, "vertical": "bottom", "overflow": "fold"}
        shown.add_column(plain(title), width=width, **look)
    for row in zip(*(cells for _, cells in columns), strict=True):
        shown.add_row(*map(plain, row))
    console.print(shown)
    is_marked = any(MARK in name for name in columns[0][1])
    study = f"\n{MARK} one of the study's eight." if is_marked else ""
    notes = filter(None, (words.describe_sources([table]), words.describe_ranking(table)))
    title = f"{words.main_score_title(group)}: mean +/- sd.{study}"
    console.print(plain("\n".join((title, *notes)) + "\n"))


def _columns(table: Table, width: int) -> list[tuple[str, list[str]]]:
    """Return titles and cells; after the first metric, as many others as the width holds."""
    rows = score_rows(table)
    short = shorten_names((row.name for row in rows), CELL_LENGTH)
    names = [
        row.variant.replace("_", " ") if row.is_baseline else short[row.name] + MARK * row.study
        for row in rows
    ]
    seeds = [row.seeds.replace(" of ", "/") for row in rows]
    columns = [("variant", names), ("seeds", seeds)]
    if table.ranking.letters:
        columns.insert(1, ("group", [row.letters for row in rows]))
    for index, metric in enumerate(table.group.metrics):
        means = [row.scores[index].mean for row in rows]
        if index:
            means = [mean.partition(f" {rounding.PLUS_MINUS}")[0] for mean in means]
        columns.append((words.metric_title(metric), [_ascii(mean) for mean in means]))
        if index and sum(_width(*column) + GAP for column in columns) - GAP > width:
            return columns[:-1]
    return columns


def _width(title: str, cells: list[str]) -> int:
    """Return the width of a column whose title may break between words."""
    return min(CELL_WIDTH, max(map(cell_len, [*title.split(), *cells])))


def _ascii(text: str) -> str:
    return text.replace(rounding.PLUS_MINUS, "+/-").replace(rounding.DASH, "-")
