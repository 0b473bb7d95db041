"""Precision and recall of runs, and their harmonic mean."""

from collections.abc import Sequence

import numpy as np

from bench.reporting.tables.methods import Method
from bench.reporting.tables.summary import Table

PAIRS = (("precision", "recall"), ("polygon_precision", "polygon_recall"))


def pair_of(table: Table) -> tuple[str, str] | None:
    """The two scores, where the table has both."""
    metrics = table.group.metrics
    return next((p for p in PAIRS if p[0] in metrics and p[1] in metrics), None)


def pairs_of(contender: Method, metrics: Sequence[str]) -> np.ndarray:
    """Scores of the finished runs that have all of these, [N, M]."""
    rows = [m.row for m in contender.members if m.row is not None and m.row.status == "finished"]
    found = [[r.scores[m] for m in metrics] for r in rows if all(m in r.scores for m in metrics)]
    return np.array(found, dtype=np.float64).reshape(-1, len(metrics))


def harmonic(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """F1 = 2 p r / (p + r); 0 where both are 0."""
    total = precision + recall
    return np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
