"""Publish a study's tables as W&B Reports, with the numbers of the local report."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.reporting.analysis.budget_curves import BudgetCurve, compute_budget_curves
from bench.reporting.data.records import StageRecord
from bench.reporting.output.leaderboard import NOTHING, build_board, sort_board_rows
from bench.reporting.output.summary_paragraph import describe_comparison
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison, build_comparisons, find_search
from bench.reporting.tables.methods import TableGroup
from bench.reporting.tables.score_choice import ALL_SCORES, ScoreChoice
from bench.reporting.text import words
from bench.reporting.wandb.leaderboard_report import Leaderboard, publish_leaderboard
from bench.runs.columns import column_name

BUDGETS = (1, 2, 5, 10, 20, 50, 100)  # of the table, and the largest budget of each variant


def publish_leaderboards(
    stages: Sequence[StageRecord],
    where: str,
    dry_run: Path | None,
    choice: ScoreChoice = ALL_SCORES,
) -> list[str]:
    """Publish a W&B Report for each table over seeds; return their addresses.

    Args:
        where: "ENTITY/PROJECT".
        dry_run: folder for a page and the JSON of each report instead; nothing is sent.
        choice: the score that ranks.

    Raises:
        UserError: the study has searches only, or `publish_leaderboard` raises one.
    """
    boards = dict(build_leaderboards(build_comparisons(stages, choice)))
    if not boards:
        needs = "a leaderboard needs runs that repeat what they chose"
        fix = "launch the stage that repeats what was chosen"
        raise UserError(f"the study has only searches, and {needs}", fix=fix)
    return [
        publish_leaderboard(board, where, None if dry_run is None else dry_run / f"{slug}.json")
        for slug, board in boards.items()
    ]


def build_leaderboards(comparisons: Sequence[Comparison]) -> Iterator[tuple[str, Leaderboard]]:
    """Yield slug and leaderboard of every comparison over seeds, with the budget of its search."""
    for comparison in (c for c in comparisons if not c.stage.is_search):
        group = comparison.main.group
        board = build_board(comparison, comparison.main, ())
        search = find_search(comparison, comparisons)
        curves = compute_budget_curves(search) if search is not None else []
        yield (
            group.slug,
            Leaderboard(
                title=f"{comparison.stage.name}: {words.section_title(comparison)}",
                study=comparison.stage.name,
                metric=words.full_metric_title(group.first, group),
                better=words.better_direction(group.first, group),
                protocol=words.describe_samples(group),
                column=_column(group),
                rows=[
                    _leaderboard_row(line, group.first)
                    for line in sort_board_rows(board, group.first)
                ],
                real=[
                    (floor["name"], floor["cells"][group.first][1])
                    for floor in board["floors"]
                    if group.first in floor["cells"]
                ],
                budgets={curve.variant: _budget_points(curve) for curve in curves},
                notes=[describe_comparison(comparison)],
            ),
        )


def _column(group: TableGroup) -> str:
    """Return the W&B column of the score that orders a table."""
    return next(
        column_name(row, measure, group.first)
        for row in group.rows
        for measure, entry in row.measures.items()
        if group.first in entry["scores"]
    )


def _leaderboard_row(board_row: Mapping[str, Any], metric: str) -> tuple[str, ...]:
    """Return the texts of a row of the page's leaderboard, in the order of `Leaderboard.rows`."""
    cell = {"n": (0, "0")} | board_row["cells"].get(metric, {})
    texts = (cell.get(name, NOTHING)[1] for name in ("n", "mean", "sd", "interval"))
    return (board_row["name"], *texts, board_row["facts"]["group"][1])


def _budget_points(curve: BudgetCurve) -> list[tuple[int, str, str]]:
    places = rounding.column_decimals(curve.mean.tolist())
    points = []
    for index, k in enumerate(curve.ks.tolist()):
        if k in BUDGETS or k == curve.ks[-1]:
            interval = "no interval"
            if index < len(curve.intervals):
                bounds = curve.intervals[index].tolist()
                low, high = (rounding.format_number(bound, places) for bound in bounds)
                interval = f"{low} to {high}"
            points.append((k, rounding.format_number(float(curve.mean[index]), places), interval))
    return points
