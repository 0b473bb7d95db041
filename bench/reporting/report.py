"""From the rows of a sweep to a folder that one can show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.files import write_bytes, write_text
from bench.reporting import pages, tables
from bench.reporting.groups import group_rows
from bench.reporting.sections import Section, section_of
from bench.reporting.style import Drawing
from bench.reporting.summary import summarise
from bench.reporting.sweep import Sweep, read_stages
from bench.runs.plans import plan_folder
from bench.runs.record import Record, record_of, write_records


@dataclass(frozen=True)
class Report:
    """What was written, and what the terminal shows of it."""

    sweep: Sweep
    sections: tuple[Section, ...]
    folder: Path

    @property
    def page(self) -> Path:
        """The page that opens in a browser."""
        return self.folder / "index.html"


def write_report(runs_root: Path, sweep: str, folder: Path) -> Report:
    """Write report.md, index.html, rows.csv, runs.jsonl, plan.json, tables/ and figures/.

    Tables and figures are of the last stage; rows.csv and runs.jsonl hold every stage's.

    The same rows give the same bytes: no file holds a date, a version of ours or a path.

    Args:
        runs_root: where runs and plans lie.
        sweep: name of the plan.
        folder: where the report goes; other files there are left alone.

    Raises:
        UserError: there is no such sweep, none of its runs is scored, a file of a run is damaged,
            or the folder cannot be written.
    """
    stages = read_stages(runs_root, sweep)
    found = stages[-1]
    sections = tuple(section_of(summarise(group)) for group in group_rows(found))
    report = Report(found, sections, folder)
    write_text(folder / "rows.csv", tables.rows_csv([(s, group_rows(s)) for s in stages]))
    write_records(folder, _records(stages))
    # what was planned, by which rule, and what that chose
    write_bytes(folder / "plan.json", (plan_folder(runs_root, sweep) / "plan.json").read_bytes())
    for section in sections:
        slug = section.table.group.slug
        write_text(folder / "tables" / f"{slug}.csv", tables.summary_csv(section.table))
        _write_drawings(folder / "figures", section.drawings)
    write_text(folder / "report.md", pages.markdown(found, sections))
    write_text(report.page, pages.html(found, sections))
    return report


def _records(stages: Sequence[Sweep]) -> list[Record]:
    """Of every run with a row, each once: a run may belong to several stages."""
    runs = {run.run_id: run for stage in stages for run in stage.runs if run.rows}
    return [record_of(run.folder, run.overrides) for run in runs.values()]


def _write_drawings(folder: Path, drawings: Sequence[Drawing]) -> None:
    for drawing in drawings:
        write_bytes(folder / f"{drawing.name}.svg", drawing.svg)
        write_bytes(folder / f"{drawing.name}.png", drawing.png)
