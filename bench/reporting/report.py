"""Make the report of a study: collect its runs, compute, render, and write the folder."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import write_folder
from bench.core.text import encode
from bench.reporting.archive.read import load, read_table
from bench.reporting.archive.write import build_study_files
from bench.reporting.charts.vega_javascript import start_vega_bundle
from bench.reporting.claims import assess_claims
from bench.reporting.data.collect import add_curves, add_pictures, read_stages
from bench.reporting.data.records import StageRecord, merge_stages
from bench.reporting.output import pages, summary_csv
from bench.reporting.output.latex import build_latex_files
from bench.reporting.output.sections import Report, draw_sections
from bench.reporting.tables.comparisons import Comparison, build_comparisons
from bench.reporting.tables.score_choice import ALL_SCORES, ScoreChoice
from bench.reporting.tables.summary import notable_runs
from bench.runs.plans import Plan, plan_exists

RESULTS = Path("results")
DATA = "rows.parquet"


def load_stages(name: str, runs_root: Path) -> Sequence[StageRecord]:
    """Load the stages of a sweep from its runs, or without them from its published rows.

    Raises:
        UserError: there are neither runs nor rows; and whatever `collect_stages` and `load` raise.
    """
    folder = published_folder(name)
    published = (folder / DATA).is_file()
    if published and (folder == Path(name) or not plan_exists(runs_root, name)):
        return load(folder).stages
    return collect_stages(runs_root, name)


def is_study(name: str, runs_root: Path) -> bool:
    """Return whether this names a sweep that was launched, or a report."""
    return plan_exists(runs_root, name) or (published_folder(name) / DATA).is_file()


def published_folder(name: str) -> Path:
    """Return the folder of a report that is named by its path or by its study."""
    return Path(name) if (Path(name) / DATA).is_file() else RESULTS / name


def collect_stages(runs_root: Path, study: str | Plan) -> list[StageRecord]:
    """Collect all that a report needs of a sweep from the folders of its runs.

    Args:
        study: name of the sweep, or its plan.

    Raises:
        UserError: there is no such sweep, none of its runs is scored, or a file is damaged.
    """
    stages = add_curves(runs_root, read_stages(runs_root, study))
    comparisons = build_comparisons(stages)
    groups = [table.group for comparison in comparisons for table in comparison.tables]
    real = sorted({row.run_id for group in groups for row in group.real_baseline})
    return add_pictures(runs_root, stages, _picture_order(comparisons), real)


def write_report(
    stages: Sequence[StageRecord],
    folder: Path,
    choice: ScoreChoice = ALL_SCORES,
    *,
    pdf: bool = False,
) -> Report:
    """Write the data, report.md, index.html, tables/ and figures/.

    The same rows give the same bytes: no file holds a date, a version of the suite or a path.

    Args:
        stages: what `collect_stages` or `load` returned.
        folder: folder to write; files in it that no report wrote are left alone.
        choice: which score ranks, and which are shown; the data have all of them.
        pdf: write each figure as PDF too; without it, those of an earlier report are removed.

    Raises:
        UserError: the folder holds the report of more runs than these, or cannot be written.
    """
    _check_not_fewer_runs(stages, folder)
    comparisons = build_comparisons(stages, choice)
    _check_unique_slugs(comparisons)
    start_vega_bundle()
    sections = draw_sections(comparisons, pdf=pdf)
    claims = []
    if stages[-1].claims:
        claims = assess_claims(build_comparisons(stages) if choice else comparisons)
    report = Report(merge_stages(stages), sections, claims, folder)
    files = build_study_files(stages)
    for name, text in build_latex_files(comparisons, claims).items():
        files[f"tables/{name}"] = encode(text)
    for section in sections:
        for table in section.comparison.tables:
            files[f"tables/{table.group.slug}.csv"] = encode(summary_csv.format_summary_csv(table))
        for drawing in (figure.drawing for figure in section.figures):
            files |= {f"figures/{drawing.name}.{k}": v for k, v in drawing.files.items()}
    files["report.md"] = encode(pages.render_markdown(report))
    files["index.html"] = encode(pages.render_html(report))
    write_folder(folder, files)
    return report


def _picture_order(comparisons: Sequence[Comparison]) -> Iterable[str]:
    """Yield the run_ids whose pictures a report shows, those of its sample sheets first."""
    for comparison in comparisons:
        group = comparison.main.group
        for row in comparison.main.rows:
            yield from (run.run_id for _, run in notable_runs(group, row.method).values())
    yield from (run.run_id for comparison in comparisons[:1] for run in comparison.stage.runs)


def _check_not_fewer_runs(stages: Sequence[StageRecord], folder: Path) -> None:
    """Refuse to replace a published report by one of fewer runs, which is likely an accident."""
    path = folder / DATA
    if not path.is_file():
        return
    table = read_table(path)
    if "run_id" not in table.column_names:
        raise UserError(f"{path} lacks the column run_id", fix="restore the file, or move it away")
    published = {r for r in table["run_id"].to_pylist() if not str(r).startswith("real-")}
    scored = {r.run_id for stage in stages for r in stage.runs if r.rows}
    if len(published) > len(scored):
        held = f"{folder} holds the report of {len(published)} scored runs"
        fix = "write this one elsewhere with --to DIR, or move that one away"
        raise UserError(f"{held}; these are {len(scored)}", fix=fix)


def _check_unique_slugs(comparisons: Iterable[Comparison]) -> None:
    """Refuse tables of two stages with one name: the second would overwrite the first."""
    slugs = [table.group.slug for comparison in comparisons for table in comparison.tables]
    if repeated := sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        message = f"two tables of this study would be called {repeated[0]}"
        raise UserError(message, fix="give its stages names that differ")
