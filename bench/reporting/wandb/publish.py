"""Publish a study's tables as W&B Reports, with the numbers of the local report."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.reporting.analysis.budget_curves import BudgetCurve, compute_budget_curves
from bench.reporting.data.records import StageRecord
from bench.reporting.output.leaderboard import NOTHING, build_board
from bench.reporting.output.summary_paragraph import describe_comparison
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison, build_comparisons, find_search
from bench.reporting.text import words
from bench.reporting.wandb.leaderboard_report import (
    BudgetColumn,
    Leaderboard,
    LeaderboardRow,
    publish_leaderboard,
)
from bench.runs.columns import column_name

BUDGETS = (1, 2, 5, 10, 20, 50, 100)  # of the table, and the largest budget of each variant


def publish_leaderboards(
    stages: Sequence[StageRecord], where: str, dry_run: Path | None
) -> list[str]:
    """Publish a W&B Report for each table over seeds; return their addresses.

    Args:
        where: "ENTITY/PROJECT".
        dry_run: folder for the reports' JSON instead; nothing is sent.

    Raises:
        UserError: the study has searches only, or `publish_leaderboard` raises one.
    """
    boards = dict(build_leaderboards(build_comparisons(stages)))
    if not boards:
        raise UserError(
            "the study has only searches, and a leaderboard needs runs that repeat what they chose",
            fix="launch the stage that repeats what was chosen",
        )
    return [
        publish_leaderboard(board, where, None if dry_run is None else dry_run / f"{slug}.json")
        for slug, board in boards.items()
    ]


def build_leaderboards(comparisons: Sequence[Comparison]) -> Iterator[tuple[str, Leaderboard]]:
    """Yield slug and leaderboard of every comparison over seeds, with the budget of its search."""
    for comparison in comparisons:
        if comparison.stage.is_search:
            continue
        group = comparison.main.group
        lines = build_board(comparison, comparison.main, ())["lines"]
        yield (
            group.slug,
            Leaderboard(
                title=f"{comparison.stage.name}: {words.section_title(comparison)}",
                study=comparison.stage.name,
                metric=words.full_metric_title(group.first, group),
                better=group.metrics[group.first],
                protocol=words.describe_samples(group),
                column=column_name(group.checkpoint, group.protocol, group.first),
                rows=[_leaderboard_row(line, group.first) for line in lines],
                budget_columns=_budget_columns(comparison, comparisons),
                notes=[describe_comparison(comparison)],
            ),
        )


def _leaderboard_row(board_row: Mapping[str, Any], metric: str) -> LeaderboardRow:
    """Convert a row of the page's leaderboard, with the texts that stand there."""
    cell = board_row["cells"].get(metric, {})
    texts = {name: cell.get(name, NOTHING)[1] for name in ("mean", "sd", "interval")}
    letters = board_row["facts"]["group"][1]
    runs = cell.get("n", (0, ""))[0]
    return LeaderboardRow(board_row["name"], board_row["variant"], runs, **texts, letters=letters)


def _budget_columns(comparison: Comparison, study: Sequence[Comparison]) -> list[BudgetColumn]:
    search = find_search(comparison, study)
    curves = compute_budget_curves(search) if search is not None else []
    return [_budget_column(curve) for curve in curves]


def _budget_column(curve: BudgetCurve) -> BudgetColumn:
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
    return BudgetColumn(curve.variant, points)
