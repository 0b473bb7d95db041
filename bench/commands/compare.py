"""`bench compare` on the terminal, and where its two reports come from."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from bench.core.errors import UserError
from bench.reporting.archive.read import Study, load
from bench.reporting.output.run_comparison import IDENTICAL, Change, Compared, Pair, compare
from bench.reporting.tables import rounding
from bench.reporting.text import words


def show_changes(first: str, second: str, console: Console | None = None) -> Compared:
    """Print what changed from one report to another.

    Args:
        first, second: folders of reports, or COMMIT:FOLDER as git names a folder at a commit.

    Raises:
        UserError: one of them is no report, or git does not know it.
    """
    with study_at(first) as ours, study_at(second) as theirs:
        found = compare(ours, theirs)
    console = console or Console()
    for pair in found.pairs:
        _print(pair, console)
    if found.apart:
        console.print(Text("Not compared:\n" + "\n".join(f"  {line}" for line in found.apart)))
    return found


@contextmanager
def study_at(place: str) -> Iterator[Study]:
    """The report in a folder, or in a folder at a commit."""
    commit, colon, folder = place.partition(":")
    if not colon or Path(place).exists():
        yield load(place)
        return
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as room:
        archive = subprocess.run(
            ["git", "archive", "--format=tar", f"{commit}:./{folder}"], capture_output=True
        )
        if archive.returncode:
            reason = archive.stderr.decode(errors="replace").strip().splitlines()
            raise UserError(
                f"git has no {place}: {reason[-1] if reason else 'unknown error'}",
                fix="give a folder of results/, or COMMIT:FOLDER from inside the checkout",
            )
        subprocess.run(["tar", "-x", "-C", room], input=archive.stdout, check=True)
        try:
            study = load(room)
        except UserError as error:
            said = error.message.replace(f"{room}/", f"{place}/").replace(room, place)
            raise UserError(said, fix=error.fix) from error
        yield study


def _print(pair: Pair, console: Console) -> None:
    group = pair.after.group
    title = f"{words.full_title(group.first, group)}, {words.better(group.first, group)}"
    console.print(Text(f"{group.slug}: {title}\n", style="bold"))
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("variant", "runs", "first", "second", "P(better)", "p", ""):
        shown.add_column(head, justify="left" if head in ("variant", "") else "right")
    places = rounding.places_of(pair.after)[group.first]
    for change in pair.changes:
        shown.add_row(*_row(change, group.first, places))
    console.print(shown)
    for word, names in (("first", pair.lost), ("second", pair.added)):
        if names:
            console.print(Text(f"Only in the {word}: {words.listed(names)}."))
    same, equal = (
        sum(getattr(change, name) for change in pair.changes) for name in ("same_runs", "equal")
    )
    if same:
        rest = "" if same == equal else "; the others differ in bits, `bench verify` tells where"
        console.print(Text(f"{same} runs stand in both, {equal} of them with equal scores{rest}."))
    console.print(Text("p of exact rank-sum tests, adjusted by Holm.\n"))


def _row(change: Change, metric: str, places: int) -> list[str]:
    cells = [line.cells.get(metric) for line in (change.before, change.after)]
    said = ["-" if cell is None else rounding.spread(cell, places) for cell in cells]
    runs = ", ".join(str(0 if cell is None else cell.n) for cell in cells)
    chance, p = "-", "-"
    if change.verdict != IDENTICAL:
        found = change.improvement
        chance = f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
        p = p if change.p is None else f"{change.p:.2g}"
    means = (text.replace(rounding.PLUS_MINUS, "+/-") for text in said)
    return [change.name, runs, *means, chance, p, change.verdict]
