"""`bench leaderboard`: a study's tables as W&B Reports, with the very numbers of the local one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.reporting.analysis.budgets import Budget, budget_of
from bench.reporting.data.records import StageRecord
from bench.reporting.output.leaderboard import NOTHING, board_of
from bench.reporting.output.summary_paragraph import answer
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison, comparisons_of, search_behind
from bench.reporting.text import words
from bench.reporting.wandb.report import Board, Curve, Standing, write_board
from bench.runs.columns import column

BUDGETS = (1, 2, 5, 10, 20, 50, 100)


def publish(stages: Sequence[StageRecord], where: str, dry_run: Path | None) -> list[str]:
    """A W&B Report for each table of contenders; returns where they are.

    Args:
        where: "ENTITY/PROJECT".
        dry_run: folder for their JSON instead; nothing is sent.

    Raises:
        UserError: there is nothing but searches, or whatever `write_board` raises.
    """
    comparisons = comparisons_of(stages)
    boards = dict(boards_of(comparisons))
    if not boards:
        raise UserError(
            "the study has searches alone, and no contenders with seeds",
            fix="launch the stage that repeats what was chosen",
        )
    return [
        write_board(board, where, None if dry_run is None else dry_run / f"{slug}.json")
        for slug, board in boards.items()
    ]


def boards_of(comparisons: Sequence[Comparison]) -> Iterator[tuple[str, Board]]:
    """Slug -> board of every comparison of contenders, with the budget of the search behind it."""
    for comparison in comparisons:
        if comparison.stage.searches:
            continue
        group = comparison.main.group
        yield (
            group.slug,
            Board(
                title=f"{comparison.stage.name}: {words.section_title(comparison)}",
                study=comparison.stage.name,
                metric=words.full_title(group.first, group),
                better=group.metrics[group.first],
                protocol=words.comparison(group),
                column=column(group.checkpoint, group.protocol, group.first),
                standings=[
                    _standing(line, group.first)
                    for line in board_of(comparison, comparison.main, ())["lines"]
                ],
                curves=_curves(comparison, comparisons),
                notes=[answer(comparison)],
            ),
        )


def _standing(line: Mapping[str, Any], metric: str) -> Standing:
    """A line of the page's board, whose texts these are."""
    cell = line["cells"].get(metric, {})
    said = {name: cell.get(name, NOTHING)[1] for name in ("mean", "sd", "interval")}
    letters = line["facts"]["group"][1]
    runs = cell.get("n", (0, ""))[0]
    return Standing(line["name"], line["variant"], runs, **said, letters=letters)


def _curves(comparison: Comparison, comparisons: Sequence[Comparison]) -> list[Curve]:
    search = search_behind(comparison, comparisons)
    found = [budget_of(one) for one in search.variants] if search is not None else []
    return [_curve(budget) for budget in found if budget is not None]


def _curve(budget: Budget) -> Curve:
    places = rounding.decimals(budget.mean.tolist())
    points = []
    for index, k in enumerate(budget.ks.tolist()):
        if k in BUDGETS or k == budget.ks[-1]:
            interval = "no interval"
            if index < len(budget.intervals):
                low, high = (rounding.number(float(b), places) for b in budget.intervals[index])
                interval = f"{low} to {high}"
            points.append((k, rounding.number(float(budget.mean[index]), places), interval))
    return Curve(budget.variant, points)
