"""What the rows of a study offer to a claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench import stats
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.published import same_quantity, study
from bench.reporting.tables.search import Search, search_of
from bench.reporting.tables.summary import ALPHA, Table, TableRow, outcomes

LIKELIHOOD = ("vae",)  # variants that are no GANs


@dataclass(frozen=True)
class Evidence:
    """The comparisons of a study, asked for what claims are about: Frechet distances."""

    comparisons: Sequence[Comparison]

    @cached_property
    def rankings(self) -> dict[str, Table]:
        """Data set -> the table of contenders with several seeds; of Inception features if any."""
        tables = [c.main for c in self.comparisons if not c.stage.searches]
        return self._one_each([t for t in tables if t.group.first == "frechet"])

    @cached_property
    def searches(self) -> dict[str, Search]:
        """Data set -> the search over configurations."""
        tables = [c.main for c in self.comparisons if c.stage.searches]
        found = self._one_each([t for t in tables if t.group.first == "frechet"])
        return {dataset: search_of(table) for dataset, table in found.items()}

    @cached_property
    def tables(self) -> list[Table]:
        """Every table there is."""
        return [table for comparison in self.comparisons for table in comparison.tables]

    def _one_each(self, tables: Sequence[Table]) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for table in sorted(tables, key=lambda table: not same_quantity(table.group)):
            found.setdefault(table.group.dataset, table)
        return found


def ranked(table: Table) -> dict[str, TableRow]:
    """Contenders with enough outcomes to be compared, in the table's order."""
    return {line.name: line for line in table.lines if line.name in table.verdict.compared}


def line_of(lines: Mapping[str, TableRow], variant: str) -> TableRow | None:
    """The best line of a variant."""
    return next((line for line in lines.values() if line.contender.variant == variant), None)


def gans(lines: Mapping[str, TableRow]) -> list[TableRow]:
    """Lines of adversarial variants."""
    return [line for line in lines.values() if line.contender.variant not in LIKELIHOOD]


def of_study(lines: Mapping[str, TableRow]) -> list[TableRow]:
    """Lines of the study's eight."""
    return [line for line in lines.values() if line.contender.variant in study()]


def significantly_better(table: Table, than: str) -> list[str]:
    """Contenders that are better than one, with the family of all pairs' errors held at ALPHA."""
    costs = {line.name: outcomes(table.group, line.contender) for line in ranked(table).values()}
    pairs = stats.differences(costs, alpha=ALPHA)
    return [
        name
        for name in costs
        if frozenset({name, than}) in pairs
        and stats.probability_of_improvement(costs[name], costs[than]) > 0.5
    ]
