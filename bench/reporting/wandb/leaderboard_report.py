"""Publish a leaderboard as a W&B Report: the local report's numbers beside W&B's own charts.

The table and the budget curve are text, exactly as the local report prints it. The charts are
W&B's, of the runs logged as the study's group (docs/wandb.md), with one colour a variant.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import write_bytes, write_text
from bench.core.text import LABEL_LENGTH, encode, printable, shorten
from bench.reporting.output.pages import render_page
from bench.reporting.tables import rounding
from bench.reporting.text.markdown import escape_markdown

INSTALL = "pip install 'created-equal[wandb]'"


@dataclass(frozen=True)
class Leaderboard:
    """The content of a report, its numbers as the local report prints them.

    Args:
        study: the sweep's name, which is its runs' group in W&B.
        metric: "frechet", say.
        better: "lower is better", say.
        protocol: how the scores were made, in words.
        column: name of the score's column in W&B, see `bench.runs.columns`.
        rows: name, number of scored runs, mean, sd, interval and letters, best first; rows that
            share a letter do not differ significantly.
        real: name and score of real samples, which have no place.
        budgets: variant -> number of runs, expected best score, its interval; empty where there
            was no search.
        notes: sentences of the local report that belong to the table.
    """

    title: str
    study: str
    metric: str
    better: str
    protocol: str
    column: str
    rows: Sequence[tuple[str, ...]]
    budgets: Mapping[str, Sequence[tuple[int, str, str]]]
    real: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


def publish_leaderboard(board: Leaderboard, where: str, dry_run: Path | None = None) -> str:
    """Publish the report, or write what would be published.

    Args:
        where: "ENTITY/PROJECT".
        dry_run: file for the report's JSON, with a page beside it; nothing is sent, and no account
            is needed.

    Returns:
        The report's address, or the page's path.

    Raises:
        UserError: `where` has another form, a package is missing, or W&B refuses.
    """
    entity, slash, project = where.partition("/")
    if not (entity and slash and project) or "/" in project:
        raise UserError(f"--wandb is {where!r}, not ENTITY/PROJECT", fix="set it to ENTITY/PROJECT")
    if dry_run is not None:
        write_text(dry_run, format_report_json(build_report(board, entity, project)))
        page = dry_run.with_suffix(".html")
        write_bytes(page, encode(render_preview(board, where)))
        return str(page)
    report = build_report(board, entity, project, published=True)
    try:
        report.save()
    except Exception as error:  # wandb raises many kinds, and a plain Exception without an account
        reason = " ".join(str(error).split())[:200]
        message = f"W&B did not take the report for {where}: {reason}"
        fix = "run `wandb login`, check the name; --dry-run DIR writes a page without W&B"
        raise UserError(message, fix=fix) from error
    return report.url


def format_report_json(report: Any) -> str:
    """Format what `Report.save` sends: title, description and the specification of all blocks."""
    model = report._to_model()  # the package has no public function that sends nothing
    spec = json.loads(model.spec.model_dump_json(by_alias=True, exclude_none=True))
    content = {
        "entityName": model.project.entity_name,
        "projectName": model.project.name,
        "displayName": model.display_name,
        "description": model.description,
        "spec": spec,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def build_report(board: Leaderboard, entity: str, project: str, *, published: bool = False) -> Any:
    """Build the leaderboard as a Report of wandb-workspaces.

    Args:
        published: name the runs' project in the run set. The package then asks W&B for the
            project's number; without a name, the run set is of the report's own project.

    Raises:
        UserError: wandb-workspaces is not installed.
    """
    try:
        import wandb_workspaces.reports.v2 as wr
    except ImportError as error:
        message = f"a W&B report needs wandb-workspaces: {' '.join(str(error).split())}"
        raise UserError(message, fix=INSTALL) from error
    whose: dict[str, Any] = {"entity": entity, "project": project} if published else {}
    study = shorten(printable(board.study), LABEL_LENGTH)  # as runs name their group
    runs = wr.Runset(
        name=study,
        filters=f"Metric('Group') == {study!r}",
        groupby=["config.variant"],
        **whose,
    )
    grid = wr.PanelGrid(runsets=[runs], panels=_panels(wr, board))
    blocks: list[Any] = [
        wr.H2("Leaderboard"),
        wr.P(describe_scores(board)),
        wr.MarkdownBlock(format_leaderboard(board)),
        *(wr.P(note) for note in board.notes),
    ]
    if board.budgets:
        heading = f"Expected best {board.metric} by budget"
        blocks += [wr.H2(heading), wr.MarkdownBlock(format_budget_table(board.budgets))]
    blocks += [wr.H2("Runs"), grid]
    title = shorten(printable(board.title), LABEL_LENGTH)
    return wr.Report(entity=entity, project=project, title=title, width="fluid", blocks=blocks)


def format_leaderboard(board: Leaderboard) -> str:
    """Format the leaderboard's rows as a Markdown table."""
    return _markdown(*leaderboard_table(board))


def describe_scores(board: Leaderboard) -> str:
    """Return which score the leaderboard is of, and how it was made."""
    return f"{board.metric}, {board.better}. {board.protocol.rstrip('.')}."


def leaderboard_table(board: Leaderboard) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return titles and rows; real samples come last and have no place.

    A column without any text is left out: intervals and groups need many runs.
    """
    head = ("", "variant", "runs", "mean", "sd", "95% interval", "group")
    rows = [(str(n), *row) for n, row in enumerate(board.rows, start=1)]
    rows += [("", name, "", score, "", "", "") for name, score in board.real]
    nothing = {"", rounding.DASH}
    kept = [i for i in range(len(head)) if i < 4 or not {row[i] for row in rows} <= nothing]
    return tuple(head[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]


def budget_table(
    budgets: Mapping[str, Sequence[tuple[int, str, str]]],
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return titles and rows: a row for each number of runs, a column for each variant."""
    columns = [{n: f"{best} ({interval})" for n, best, interval in p} for p in budgets.values()]
    sizes = sorted({n for column in columns for n in column})
    return ("runs", *budgets), [(str(n), *(c.get(n, "") for c in columns)) for n in sizes]


def render_preview(board: Leaderboard, where: str) -> str:
    """Render the report as a page that needs no other file and no network."""
    variables = {
        "board": board,
        "where": where,
        "scores": describe_scores(board),
        "table": leaderboard_table(board),
        "budgets": budget_table(board.budgets) if board.budgets else None,
    }
    return render_page("wandb_preview.html.j2", variables)


def format_budget_table(budgets: Mapping[str, Sequence[tuple[int, str, str]]]) -> str:
    """Format a Markdown table with a row for each number of runs and a column for each variant."""
    return _markdown(*budget_table(budgets))


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles, *lines = (f"| {' | '.join(map(escape_markdown, row))} |" for row in (head, *rows))
    return "\n".join([titles, f"|{' --- |' * len(head)}", *lines])


def _panels(wr: Any, board: Leaderboard) -> list[Any]:
    """Build the charts: score by variant; Frechet distances, losses and pictures over steps."""
    layouts = [wr.Layout(x=x, y=y, w=12, h=8) for y in (0, 8) for x in (0, 12)]
    by_variant = {"groupby": wr.Config("variant"), "groupby_aggfunc": "mean"}
    return [
        wr.BarPlot(
            title=f"{board.metric} by variant",
            metrics=[wr.SummaryMetric(board.column)],
            groupby_rangefunc="stddev",
            layout=layouts[0],
            **by_variant,
        ),
        wr.LinePlot(
            title="Frechet distance of checkpoints, on the split that selects",
            x="d_steps",
            y=["selection/frechet"],
            layout=layouts[1],
            **by_variant,
        ),
        wr.LinePlot(
            title="losses", x="d_steps", y=["d_loss", "g_loss"], layout=layouts[2], **by_variant
        ),
        wr.MediaBrowser(media_keys=["samples"], layout=layouts[3]),
    ]
