"""What belongs side by side: one data set under one protocol, a table for each checkpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.reporting.groups import group_rows
from bench.reporting.protocols import sibling
from bench.reporting.search import Search, search_of
from bench.reporting.summary import Table, summarise
from bench.reporting.sweep import Sweep

CHECKPOINTS = ("best", "final", "last")  # the main one first


@dataclass(frozen=True)
class Comparison:
    """Contenders of a stage on one data set under one protocol.

    Args:
        stage: of the sweep; where it `searches`, contenders are variants with all configurations.
        tables: by checkpoint, the main one first: "best", else "final".
    """

    stage: Sweep
    tables: tuple[Table, ...]

    @property
    def main(self) -> Table:
        """The table that orders the contenders and whose figures are drawn."""
        return self.tables[0]


def comparisons_of(stages: Iterable[Sweep]) -> tuple[Comparison, ...]:
    """All of a study: the last stage first, for that is what it ends in; then in order.

    Raises:
        UserError: a row's protocol does not name its extractor and the directions of its scores.
    """
    stages = list(stages)
    return tuple(c for stage in (*stages[-1:], *stages[:-1]) for c in _of_stage(stage))


def search_behind(comparison: Comparison, study: Sequence[Comparison]) -> Search | None:
    """The search on the same data set, protocol and checkpoint; None where there is none."""
    group = comparison.main.group
    key = (group.dataset, group.checkpoint, group.protocol)
    for one in study:
        other = one.main.group
        if one.stage.searches and (other.dataset, other.checkpoint, other.protocol) == key:
            return search_of(one.main)
    return None


def _of_stage(stage: Sweep) -> Iterable[Comparison]:
    found: dict[tuple[str, str], list[Table]] = {}
    for group in group_rows(stage):
        table = summarise(group, tested=not stage.searches)
        found.setdefault((group.dataset, sibling(group.protocol)), []).append(table)
    return [Comparison(stage, tuple(sorted(tables, key=_place))) for tables in found.values()]


def _place(table: Table) -> tuple[int, str]:
    kind = table.group.checkpoint.partition("-")[0]
    return (CHECKPOINTS.index(kind) if kind in CHECKPOINTS else len(CHECKPOINTS), table.group.slug)
