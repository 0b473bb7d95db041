"""Choose the score that ranks a report's tables, and the scores that they show."""

import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from bench.core.errors import UserError
from bench.metrics.declarations import read_declarations
from bench.reporting.tables.methods import TableGroup


@dataclass(frozen=True)
class ScoreChoice:
    """Scores chosen by a reader; without a choice, tables are as their metrics declare.

    Args:
        score: the one that ranks; None for each table's own first.
        columns: the ones that are shown beside it, in order; none for all.
    """

    score: str | None = None
    columns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything is chosen."""
        return self.score is not None or bool(self.columns)

    def apply(self, group: TableGroup) -> TableGroup:
        """Return a table group with the chosen scores, as far as it has them."""
        if not self:
            return group
        first = self.score if self.score in group.metrics else group.first
        names = dict.fromkeys((first, *(self.columns or group.metrics)))
        shown = {name: group.metrics[name] for name in names if name in group.metrics}
        return dataclasses.replace(group, metrics=shown)

    def check(self, groups: Iterable[TableGroup]) -> None:
        """Check that some table has each chosen score, and that the score can rank.

        Raises:
            UserError: it cannot, or no table has it.
        """
        if not self:
            return
        present = list(dict.fromkeys(name for group in groups for name in group.metrics))
        for name in (*((self.score,) if self.score else ()), *self.columns):
            if name not in present:
                near = difflib.get_close_matches(name, present, n=1, cutoff=0.4)
                fix = f"did you mean {near[0]}? " if near else ""
                listed = f"the scores are {', '.join(present)}"
                raise UserError(f"these runs have no score {name!r}", fix=f"{fix}{listed}")
        if self.score in read_declarations()["TARGETS"]:
            message = f"{self.score} cannot rank: it is best where it equals that of real data"
            raise UserError(message, fix="show it beside another score: --columns")


ALL_SCORES = ScoreChoice()
