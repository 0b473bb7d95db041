"""Cut long names for figures; tables, the page's lists and CSV files have them whole."""

from collections.abc import Sequence
from dataclasses import replace

from bench.core.text import shorten_names
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.methods import Method
from bench.reporting.tables.summary import Table

NAME_LENGTH = 118  # columns: three or four lines beside a row
TERM_LENGTH = 40  # columns of a data set or an extractor, in a title


def with_short_names(study: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons with names of methods, data sets and extractors as figures show them.

    Names that differ still differ when they are cut, and no control character is left in them.
    """
    tables = [table for comparison in study for table in comparison.tables]
    methods = [method for table in tables for method in table.group.methods]
    names = shorten_names([n for m in methods for n in (m.name, m.variant)], NAME_LENGTH)
    terms = [t for table in tables for t in (table.group.dataset, _extractor(table))]
    short_terms = shorten_names(terms, TERM_LENGTH)
    return [
        replace(one, tables=tuple(_rename(table, names, short_terms) for table in one.tables))
        for one in study
    ]


def _rename(table: Table, names: dict[str, str], terms: dict[str, str]) -> Table:
    def rename(method: Method) -> Method:
        return replace(method, name=names[method.name], variant=names[method.variant])

    group, ranking = table.group, table.ranking
    return replace(
        table,
        group=replace(
            group,
            dataset=terms[group.dataset],
            protocol={**group.protocol, "extractor": terms[_extractor(table)]},
            methods=tuple(map(rename, group.methods)),
        ),
        rows=tuple(replace(row, method=rename(row.method)) for row in table.rows),
        ranking=replace(
            ranking,
            compared=tuple(names[name] for name in ranking.compared),
            letters={names[name]: letters for name, letters in ranking.letters.items()},
            better_than_first=tuple(names[name] for name in ranking.better_than_first),
        ),
    )


def _extractor(table: Table) -> str:
    return str(table.group.protocol["extractor"])
