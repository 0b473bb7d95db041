"""The report in a terminal: one table a group, and where the page lies."""

from collections.abc import Mapping
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from bench.reporting.output.sections import Report
from bench.reporting.output.summary_paragraph import tally
from bench.reporting.tables import rounding
from bench.reporting.tables.search import search_of
from bench.reporting.tables.summary import Table
from bench.reporting.text import words
from bench.reporting.text.cells import score_rows
from bench.reporting.text.search_table import HEADS, search_rows

MARK = "*"  # of the study's eight; plain ASCII, for any terminal
GAP = 2  # columns of the terminal between two of the table


def render(report: Report, console: Console | None = None) -> None:
    """Print the tables, what may be said of their order, and the page's path as the last line.

    Args:
        report: as written.
        console: where to; standard output, without colours where it is no terminal.
    """
    console = console or Console()
    for section in report.sections:
        if section.comparison.stage.searches:
            _print_search(section.table, console)
        else:
            _print_table(section.table, console)
    said = tally(report.claims)
    if said:
        console.print(Text(f"{said}\n"))
    console.print(Text(f"{words.losses_of_runs(report.sweep.counts)}."))
    console.print(Text(str(report.page)), soft_wrap=True)


def _print_search(table: Table, console: Console) -> None:
    group = table.group
    console.print(
        Text(f"The search on {group.dataset}, protocol {group.protocol['name']}\n", "bold")
    )
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in HEADS:
        shown.add_column(head, justify="left" if head == "variant" else "right")
    for line in search_rows(search_of(table)):
        shown.add_row(*map(_ascii, line))
    console.print(shown)
    title = f"{words.full_title(group.first, group)}, {words.better(group.first, group)}"
    console.print(Text(f"{title}; chosen on {_chosen_on(table)}.\n"))


def _chosen_on(table: Table) -> str:
    chosen = table.group.protocol.get("chosen")
    split = chosen.get("split") if isinstance(chosen, Mapping) else None
    return f"the {split or table.group.protocol.get('split', 'test')} split"


def _print_table(table: Table, console: Console) -> None:
    group = table.group
    which = "" if group.checkpoint == "final" else f", {group.checkpoint} checkpoint"
    heading = f"{group.dataset}, protocol {group.protocol['name']}{which}\n"
    console.print(Text(heading, style="bold"))
    shown = RichTable(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0), show_edge=False
    )
    columns = _columns(table, console.width)
    for head, cells in columns:
        side: Literal["left", "right"] = "left" if head in ("variant", "group") else "right"
        shown.add_column(head, justify=side, vertical="bottom", width=_width(head, cells))
    for row in zip(*(cells for _, cells in columns), strict=True):
        shown.add_row(*row)
    console.print(shown)
    title = f"{words.full_title(group.first, group)}, {words.better(group.first, group)}"
    study = (
        f"\n{MARK} one of the study's eight." if any(MARK in row for row in columns[0][1]) else ""
    )
    console.print(Text(f"{title}: mean +/- sd.{study}\n{words.verdict(table)}\n"))


def _columns(table: Table, width: int) -> list[tuple[str, list[str]]]:
    """Heads and cells; of the further scores as many as the width holds."""
    lines = score_rows(table)
    names = [
        line.variant.replace("_", " ") if line.floor else line.name + MARK * line.study
        for line in lines
    ]
    seeds = [line.seeds.replace(" of ", "/") for line in lines]
    columns = [("variant", names), ("seeds", seeds)]
    if table.verdict.letters:
        columns.insert(1, ("group", [line.letters for line in lines]))
    for index, metric in enumerate(table.group.metrics):
        means = [line.scores[index].mean for line in lines]
        if index:
            means = [mean.partition(f" {rounding.PLUS_MINUS}")[0] for mean in means]
        columns.append((words.title(metric), [_ascii(mean) for mean in means]))
        if index and sum(_width(*column) + GAP for column in columns) - GAP > width:
            return columns[:-1]
    return columns


def _width(head: str, cells: list[str]) -> int:
    """Of a column whose head may break between words."""
    return max(map(len, [*head.split(), *cells]))


def _ascii(text: str) -> str:
    return text.replace(rounding.PLUS_MINUS, "+/-").replace(rounding.DASH, "-")
