"""Select what claims are about from a study's tables: Frechet distances, GANs, its variants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench import stats
from bench.reporting.analysis.factorial import Factorial, read_factorial
from bench.reporting.analysis.rankings import outcomes_by_method
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.methods import Method
from bench.reporting.tables.published import is_published_quantity, study_variants
from bench.reporting.tables.search import Search, summarise_search
from bench.reporting.tables.summary import ALPHA, Table, TableRow, select_better

# Models (names of conf/model) that are trained without another network, and so are no GANs. Rows
# name their model but lack its class attribute `adversarial`, and reports cannot import the class,
# which needs torch. Once rows carry the attribute, is_adversarial reads it and this list goes.
NON_ADVERSARIAL_MODELS = {
    *("vae", "imle", "maximum_likelihood", "naive_bayes", "lda", "qda", "flow_matching"),
}


@dataclass(frozen=True)
class Evidence:
    """The comparisons of a study, with one table of Frechet distances for each data set."""

    comparisons: Sequence[Comparison]

    @cached_property
    def rankings(self) -> dict[str, Table]:
        """Return data set -> table over seeds; of Inception features where there is one."""
        return self._frechet_tables(is_search=False)

    @cached_property
    def grids(self) -> dict[str, Table]:
        """Return data set -> table of the cells of a grid; of Inception features where possible."""
        return self._frechet_tables(is_search=False, of_grid=True)

    @cached_property
    def searches(self) -> dict[str, Search]:
        """Return data set -> search over configurations; of Inception features where possible."""
        tables = self._frechet_tables(is_search=True)
        return {dataset: summarise_search(table) for dataset, table in tables.items()}

    def factorials(self, checkpoint: str = "") -> list[Factorial]:
        """Return every grid's scores at a checkpoint, or at the main one of its comparison."""
        tables = [
            table
            for comparison in self.comparisons
            for table in (comparison.tables if checkpoint else comparison.tables[:1])
        ]
        chosen = (t.group for t in tables if checkpoint in ("", t.group.checkpoint))
        found = (read_factorial(group) for group in chosen if not group.conditional)
        return [factorial for factorial in found if factorial is not None]

    @cached_property
    def tables(self) -> list[Table]:
        """Return every table of the study."""
        return [table for comparison in self.comparisons for table in comparison.tables]

    def _frechet_tables(self, *, is_search: bool, of_grid: bool = False) -> dict[str, Table]:
        tables = [
            c.main
            for c in self.comparisons
            if c.stage.is_search == is_search and bool(c.stage.factors) == of_grid
        ]
        tables = [table for table in tables if not table.group.conditional]  # nor are the study's
        by_dataset: dict[str, Table] = {}
        for table in sorted(tables, key=lambda table: not is_published_quantity(table.group)):
            if table.group.first == "frechet":
                by_dataset.setdefault(table.group.dataset, table)
        return by_dataset


def compared_rows(table: Table) -> list[TableRow]:
    """Return the rows with enough outcomes to be compared, in the table's order."""
    return [row for row in table.rows if row.name in table.ranking.compared]


def find_row(rows: Iterable[TableRow], variant: str) -> TableRow | None:
    """Return the best row of a variant, where there is one."""
    return next((row for row in rows if row.method.variant == variant), None)


def is_adversarial(method: Method) -> bool:
    """Return whether the method's model is a GAN; so is a model that no row names."""
    return not {row.model for row in method.rows} & NON_ADVERSARIAL_MODELS


def gan_rows(rows: Iterable[TableRow]) -> list[TableRow]:
    """Return the rows of GANs."""
    return [row for row in rows if is_adversarial(row.method)]


def study_rows(rows: Iterable[TableRow]) -> list[TableRow]:
    """Return the rows of the study's eight variants."""
    return [row for row in rows if row.method.variant in study_variants()]


def significantly_better(table: Table, than: str) -> list[str]:
    """Return the methods better than that of a name, with ALPHA for all pairs of the table."""
    costs = outcomes_by_method(table)
    return select_better(costs, than, stats.differences(costs, alpha=ALPHA))
