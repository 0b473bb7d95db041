"""Rows as columns of a table of many runs: scores of different protocols never share a column."""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.runs.identity import short_hash
from bench.runs.rows import RUN_SETTINGS, Row, measure_identity


def score_protocol(row: Row, measure: str) -> dict[str, Any]:
    """Return all that makes the scores of a measure comparable: nothing of other measures.

    Args:
        measure: one of the row's; "" for what belongs to none.
    """
    shared = {key: value for key, value in row.protocol.items() if key not in RUN_SETTINGS}
    own = {"measure": measure, **measure_identity(row.measures[measure])} if measure else {}
    return {**shared, **own}


def protocol_label(score_protocol: Mapping[str, Any]) -> str:
    """quick-1a2b3c4d: the protocol's name, and its hash."""
    return f"{score_protocol['name']}-{short_hash(score_protocol)}"


def column_name(row: Row, measure: str, score: str) -> str:
    """final/quick-1a2b3c4d/frechet: checkpoint, protocol of the measure's scores, score."""
    return f"{row.checkpoint}/{protocol_label(score_protocol(row, measure))}/{score}"


def scores_by_column(rows: Iterable[Row]) -> dict[str, float]:
    """Return every score and detail of a run's rows by the name of its column."""
    return {
        column_name(row, measure, name): value
        for row in rows
        for measure, numbers in row.numbers_by_measure().items()
        for name, value in numbers.items()
    }


def protocols_by_label(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """Return the protocols of a run's scores, by the label in their columns' names."""
    protocols = (score_protocol(row, measure) for row in rows for measure in row.measures)
    return {protocol_label(protocol): protocol for protocol in protocols}
