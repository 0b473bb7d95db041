"""A study's leaderboard as a W&B Report: the local report's numbers beside W&B's own charts.

The table and the budget curve are text: what the local report prints, letter for letter. The charts
are W&B's, of the runs that were logged as the study's group (docs/wandb.md), one colour a variant.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import write_text

TITLE_LENGTH = 128  # W&B's own limit
MISSING = "pip install 'created-equal[wandb]'"


@dataclass(frozen=True)
class Standing:
    """A line of the leaderboard, its numbers as the local report prints them.

    Args:
        letters: two that share one do not differ; empty where nothing was compared.
    """

    name: str
    variant: str
    runs: int
    mean: str
    sd: str
    interval: str
    letters: str


@dataclass(frozen=True)
class Curve:
    """What a variant's best run is expected to score after so many.

    Args:
        points: number of runs, expected best score, its interval; as the local report prints them.
    """

    name: str
    points: Sequence[tuple[int, str, str]]


@dataclass(frozen=True)
class Board:
    """All that the report says.

    Args:
        study: the sweep's name, which is its runs' group in W&B.
        metric: "frechet", say.
        better: "lower" or "higher".
        protocol: how the scores were made, in words.
        column: under which the rows' scores stand in W&B, see `bench.runs.columns`.
        standings: best first.
        curves: of the budget; empty where there is none.
        notes: sentences of the local report that belong to the table.
    """

    title: str
    study: str
    metric: str
    better: str
    protocol: str
    column: str
    standings: Sequence[Standing]
    curves: Sequence[Curve] = ()
    notes: Sequence[str] = ()


def write_board(board: Board, where: str, dry_run: Path | None = None) -> str:
    """Publish the report, or write what would be published.

    Args:
        where: "ENTITY/PROJECT".
        dry_run: a file for its JSON; nothing is sent, and no account is asked for.

    Returns:
        The report's address, or the file's.

    Raises:
        UserError: the place has another form, a package is missing, or W&B refuses.
    """
    entity, slash, project = where.partition("/")
    if not (entity and slash and project) or "/" in project:
        raise UserError(f"--wandb is {where!r}", fix="set it to ENTITY/PROJECT")
    if dry_run is not None:
        write_text(dry_run, as_json(report_of(board, entity, project)))
        return str(dry_run)
    report = report_of(board, entity, project, published=True)
    try:
        report.save()
    except Exception as error:  # wandb's kinds are many, and a plain Exception without an account
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"W&B did not take the report for {where}: {reason}",
            fix="run `wandb login`, check the name; --dry-run writes the report's JSON without W&B",
        ) from error
    return report.url


def as_json(report: Any) -> str:
    """What `Report.save` sends: title, description and the specification of all blocks."""
    model = report._to_model()  # the package has no public way that sends nothing
    spec = json.loads(model.spec.model_dump_json(by_alias=True, exclude_none=True))
    content = {
        "entityName": model.project.entity_name,
        "projectName": model.project.name,
        "displayName": model.display_name,
        "description": model.description,
        "spec": spec,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def report_of(board: Board, entity: str, project: str, *, published: bool = False) -> Any:
    """The board as wandb-workspaces' Report.

    Args:
        published: name the runs' project in each run set. The package then asks W&B for the
            project's number; left out, a run set is of the report's own project.

    Raises:
        UserError: wandb-workspaces is not installed.
    """
    wr = _package()
    runs = wr.Runset(
        name=board.study,
        filters=f"Metric('Group') == {board.study!r}",
        groupby=["config.variant"],
        **({"entity": entity, "project": project} if published else {}),
    )
    grid = wr.PanelGrid(runsets=[runs], panels=_panels(wr, board))
    blocks: list[Any] = [
        wr.H2("Leaderboard"),
        wr.P(f"{board.metric}, {board.better} is better. {board.protocol}"),
        wr.MarkdownBlock(standings_table(board)),
        *(wr.P(note) for note in board.notes),
    ]
    if board.curves:
        heading = f"Expected best {board.metric} by budget"
        blocks += [wr.H2(heading), wr.MarkdownBlock(budget_table(board.curves))]
    blocks += [wr.H2("Runs"), grid]
    title = board.title[:TITLE_LENGTH]
    return wr.Report(entity=entity, project=project, title=title, width="fluid", blocks=blocks)


def standings_table(board: Board) -> str:
    """Markdown: a line each."""
    head = ("", "", "variant", "runs", f"{board.metric}, mean", "sd", "interval", "not separated")
    lines = [
        (str(place), s.name, s.variant, str(s.runs), s.mean, s.sd, s.interval, s.letters)
        for place, s in enumerate(board.standings, start=1)
    ]
    return _markdown(head, lines)


def budget_table(curves: Sequence[Curve]) -> str:
    """Markdown: a line for each number of runs, a column for each variant."""
    budgets = sorted({runs for curve in curves for runs, _, _ in curve.points})
    cells = [{runs: f"{best} ({low_high})" for runs, best, low_high in c.points} for c in curves]
    head = ("runs", *(curve.name for curve in curves))
    return _markdown(head, [(str(n), *(cell.get(n, "") for cell in cells)) for n in budgets])


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    escaped = ([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def _panels(wr: Any, board: Board) -> list[Any]:
    """The score by variant; losses, candidates' distances and pictures over steps."""
    layout = [{"x": x, "y": y, "w": 12, "h": 8} for y in (0, 8) for x in (0, 12)]
    over_steps = {"x": "d_steps", "groupby": wr.Config("variant"), "groupby_aggfunc": "mean"}
    return [
        wr.BarPlot(
            title=f"{board.metric} by variant",
            metrics=[wr.SummaryMetric(board.column)],
            groupby=wr.Config("variant"),
            groupby_aggfunc="mean",
            groupby_rangefunc="stddev",
            layout=wr.Layout(**layout[0]),
        ),
        wr.LinePlot(
            title="Frechet distance of checkpoints, on the split that selects",
            y=["selection/frechet"],
            layout=wr.Layout(**layout[1]),
            **over_steps,
        ),
        wr.LinePlot(
            title="losses", y=["d_loss", "g_loss"], layout=wr.Layout(**layout[2]), **over_steps
        ),
        wr.MediaBrowser(media_keys=["samples"], layout=wr.Layout(**layout[3])),
    ]


def _package() -> Any:
    try:
        import wandb_workspaces.reports.v2 as wr
    except ImportError as error:
        raise UserError(
            f"a W&B report needs wandb-workspaces: {' '.join(str(error).split())}", fix=MISSING
        ) from error
    return wr
