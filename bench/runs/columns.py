"""Rows as columns of a table of many runs: scores of different protocols never share one."""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.runs.identity import short_hash
from bench.runs.rows import OWN_CHOICES, Row


def protocol_key(protocol: Mapping[str, Any]) -> str:
    """quick-1a2b3c4d: the protocol's name, and a hash of all that makes its scores comparable."""
    shared = {key: value for key, value in protocol.items() if key not in OWN_CHOICES}
    return f"{protocol['name']}-{short_hash(shared)}"


def column(checkpoint: str, protocol: Mapping[str, Any], score: str) -> str:
    """final/quick-1a2b3c4d/frechet"""
    return f"{checkpoint}/{protocol_key(protocol)}/{score}"


def columns(rows: Iterable[Row]) -> dict[str, float]:
    """Every score and detail of a run's rows by its column."""
    return {
        column(row.checkpoint, row.protocol, name): value
        for row in rows
        for name, value in {**row.scores, **row.details}.items()
    }
