"""Rows as columns of a table of many runs: scores of different protocols never share a column."""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.runs.identity import short_hash
from bench.runs.rows import RUN_SETTINGS, Row


def protocol_label(protocol: Mapping[str, Any]) -> str:
    """quick-1a2b3c4d: the protocol's name, and a hash of all that makes its scores comparable."""
    shared = {key: value for key, value in protocol.items() if key not in RUN_SETTINGS}
    return f"{protocol['name']}-{short_hash(shared)}"


def column_name(checkpoint: str, protocol: Mapping[str, Any], score: str) -> str:
    """final/quick-1a2b3c4d/frechet: checkpoint, protocol and score."""
    return f"{checkpoint}/{protocol_label(protocol)}/{score}"


def scores_by_column(rows: Iterable[Row]) -> dict[str, float]:
    """Return every score and detail of a run's rows by the name of its column."""
    return {
        column_name(row.checkpoint, row.protocol, name): value
        for row in rows
        for name, value in {**row.scores, **row.details}.items()
    }
