"""From a study to a folder that one can show."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import sha256_of, write_bytes
from bench.reporting.archive.read import load, read_table
from bench.reporting.archive.write import study_files
from bench.reporting.claims import test_claims
from bench.reporting.data.collect import read_stages, with_curves, with_pictures
from bench.reporting.data.records import StageRecord, merge_stages
from bench.reporting.output import pages, summary_csv
from bench.reporting.output.latex import latex_files
from bench.reporting.output.sections import Report, sections_of
from bench.reporting.tables.comparisons import Comparison, comparisons_of
from bench.reporting.tables.summary import median_run
from bench.runs.plans import plan_exists

RESULTS = Path("results")
DATA = "rows.parquet"
SUMS = "SHA256SUMS"  # of every file of a report, as sha256sum writes and checks them


def report_of(name: str, runs_root: Path, to: Path | None) -> Report:
    """The report of a sweep, from its runs, or where they are not here from its published rows.

    Args:
        name: of a sweep, or the folder of a report.
        runs_root: where runs and plans lie.
        to: where the report goes; None for results/NAME, or the folder given.

    Raises:
        UserError: there is neither; and whatever `collect`, `load` and `write_report` raise.
    """
    return write_report(stages_of(name, runs_root), to or _published(name))


def stages_of(name: str, runs_root: Path) -> Sequence[StageRecord]:
    """A study from its runs, or where they are not here from its published rows.

    Raises:
        UserError: there is neither; and whatever `collect` and `load` raise.
    """
    folder = _published(name)
    published = (folder / DATA).is_file()
    if published and (folder == Path(name) or not plan_exists(runs_root, name)):
        return load(folder).stages
    return collect(runs_root, name)


def _published(name: str) -> Path:
    """The folder of a report, given as such or by the name of its study."""
    return Path(name) if (Path(name) / DATA).is_file() else RESULTS / name


def collect(runs_root: Path, name: str) -> list[StageRecord]:
    """All that a report needs of a sweep, from the folders of its runs.

    Raises:
        UserError: there is no such sweep, none of its runs is scored, or a file is damaged.
    """
    stages = with_curves(runs_root, read_stages(runs_root, name))
    return with_pictures(runs_root, stages, _pictured(comparisons_of(stages)))


def write_report(stages: Sequence[StageRecord], folder: Path) -> Report:
    """Write the data, report.md, index.html, tables/ and figures/.

    The same rows give the same bytes: no file holds a date, a version of ours or a path.

    Args:
        stages: as `collect` or `load` gives them.
        folder: where the report goes; files that no report wrote are left alone there.

    Raises:
        UserError: the folder holds the report of more runs than these, or cannot be written.
    """
    _refuse_fewer(stages, folder)
    comparisons = comparisons_of(stages)
    _refuse_namesakes(comparisons)
    sections = sections_of(comparisons)
    claims, everything = test_claims(comparisons), merge_stages(stages)
    files = study_files(stages)
    for name, text in latex_files(comparisons, claims).items():
        files[f"tables/{name}"] = text.encode()
    for section in sections:
        for table in section.comparison.tables:
            files[f"tables/{table.group.slug}.csv"] = summary_csv.summary_csv(table).encode()
        for drawing in (figure.drawing for figure in section.figures):
            files |= {f"figures/{drawing.name}.{k}": v for k, v in drawing.files.items()}
    files["report.md"] = pages.markdown(everything, sections, claims).encode()
    files["index.html"] = pages.html(everything, sections, claims).encode()
    _write(folder, files)
    return Report(everything, sections, claims, folder)


def _pictured(comparisons: Iterable[Comparison]) -> Iterable[str]:
    """Runs whose pictures a report shows, those of its sheets first."""
    comparisons = list(comparisons)
    for comparison in comparisons:
        for line in comparison.main.lines:
            metric, sign = comparison.main.group.first, comparison.main.group.sign
            found = median_run(line.contender, metric)
            if found is not None:
                yield found[1].run_id
                yield min(
                    (sign * value, run.run_id) for value, run in line.contender.scored(metric)
                )[1]
    yield from (run.run_id for comparison in comparisons[:1] for run in comparison.stage.runs)


def _refuse_fewer(stages: Sequence[StageRecord], folder: Path) -> None:
    """A published report is not replaced by one of fewer runs by accident."""
    path = folder / DATA
    if not path.is_file():
        return
    table = read_table(path)
    if "run_id" not in table.column_names:
        raise UserError(f"{path} lacks the column run_id", fix="restore the file, or move it away")
    theirs = {r for r in table["run_id"].to_pylist() if not str(r).startswith("real-")}
    ours = {r.run_id for stage in stages for r in stage.runs if r.rows}
    if len(theirs) > len(ours):
        raise UserError(
            f"{folder} holds the report of {len(theirs)} scored runs; these are {len(ours)}",
            fix="write this one elsewhere with --to DIR, or move that one away",
        )


def _refuse_namesakes(comparisons: Iterable[Comparison]) -> None:
    """Tables of two stages must not be called the same: one would overwrite the other."""
    slugs = [table.group.slug for comparison in comparisons for table in comparison.tables]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if twice:
        raise UserError(
            f"two tables of this study would be called {twice[0]}",
            fix="give its stages names that differ",
        )


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write all files; what an earlier report wrote and this one has not is taken away."""
    before = _sums(folder / SUMS)
    for name, content in files.items():
        write_bytes(folder / name, content)
    for name, digest in before.items():
        path = folder / name
        if name not in files and path.is_file() and sha256_of(path) == digest:
            path.unlink()
    sums = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    write_bytes(folder / SUMS, "".join(sums).encode())


def _sums(path: Path) -> dict[str, str]:
    """Name -> digest, of names inside the folder."""
    if not path.is_file():
        return {}
    lines = (line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines())
    pairs = [(line[1], line[0]) for line in lines if len(line) == 2]
    return {name: digest for name, digest in pairs if _inside(Path(name))}


def _inside(path: Path) -> bool:
    return not path.is_absolute() and ".." not in path.parts
