"""Put tables side by side: one data set under one protocol, with a table for each checkpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.reporting.data.protocols import hash_without_checkpoint
from bench.reporting.data.records import StageRecord
from bench.reporting.tables import rounding
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.methods import TableGroup
from bench.reporting.tables.score_choice import ALL_SCORES, ScoreChoice
from bench.reporting.tables.search import Search, summarise_search
from bench.reporting.tables.summary import Table, summarise

CHECKPOINTS = ("best", "final", "last")  # the main one first


@dataclass(frozen=True)
class Comparison:
    """The methods of a stage on one data set under one protocol.

    Args:
        stage: stage of the sweep; if it is a search, a method is a variant with all of its
            configurations.
        tables: one for each checkpoint, the main one first: "best", else "final".
    """

    stage: StageRecord
    tables: tuple[Table, ...]

    @property
    def main(self) -> Table:
        """Return the table that orders the methods and whose figures are drawn."""
        return self.tables[0]


def build_comparisons(
    stages: Iterable[StageRecord], choice: ScoreChoice = ALL_SCORES
) -> tuple[Comparison, ...]:
    """Compare the methods of all stages; those of the last stage, the study's result, come first.

    Where a stage has a grid, stages are questions side by side and stay in their order.

    Args:
        choice: which score ranks, and which are shown.

    Raises:
        UserError: a row's protocol does not name its extractor and the directions of its scores;
            no row has a chosen score.
    """
    stages = list(stages)
    groups = {id(stage): group_rows(stage) for stage in stages}
    choice.check(group for members in groups.values() for group in members)
    return tuple(
        comparison
        for stage in (stages if any(s.factors for s in stages) else (*stages[-1:], *stages[:-1]))
        for comparison in _compare_stage(stage, map(choice.apply, groups[id(stage)]))
    )


def find_search(comparison: Comparison, study: Sequence[Comparison]) -> Search | None:
    """Find the search on the same data set, protocol and checkpoint; None if there is none."""
    group = comparison.main.group
    key = (group.dataset, group.checkpoint, group.protocol)
    for candidate in study:
        other = candidate.main.group
        if candidate.stage.is_search and (other.dataset, other.checkpoint, other.protocol) == key:
            return summarise_search(candidate.main)
    return None


def _compare_stage(stage: StageRecord, groups: Iterable[TableGroup]) -> Iterable[Comparison]:
    tables_by_key: dict[tuple[str, str], list[Table]] = {}
    for group in groups:
        table = summarise(group, tested=not stage.is_search)
        key = (group.dataset, hash_without_checkpoint(group.protocol))
        tables_by_key.setdefault(key, []).append(table)
    for tables in tables_by_key.values():
        yield Comparison(stage, tuple(sorted(tables, key=_checkpoint_order)))


def _checkpoint_order(table: Table) -> tuple[int, str]:
    kind = table.group.checkpoint.partition("-")[0]
    return (CHECKPOINTS.index(kind) if kind in CHECKPOINTS else len(CHECKPOINTS), table.group.slug)


def checkpoint_names(comparison: Comparison) -> list[str]:
    """Return the column titles of the checkpoint table; none if there is only one checkpoint."""
    names = [table.group.checkpoint for table in comparison.tables]
    return names if len(names) > 1 else []


def checkpoint_rows(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Return each method's name and first metric at every checkpoint, in the main table's order."""
    places = rounding.decimals_by_metric(comparison.main)[comparison.main.group.first]
    names = [row.name for row in comparison.main.rows]
    return [(name, [_cell_text(t, name, places) for t in comparison.tables]) for name in names]


def _cell_text(table: Table, name: str, places: int) -> str:
    cells = next((row.cells for row in table.rows if row.name == name), {})
    return rounding.format_mean_sd(cells.get(table.group.first), places)
