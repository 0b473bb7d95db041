"""Collect precision and recall of runs, and compute their harmonic mean."""

from collections.abc import Sequence

import numpy as np

from bench.reporting.tables.methods import Method
from bench.reporting.tables.summary import Table

METRIC_PAIRS = (("precision", "recall"), ("polygon_precision", "polygon_recall"))


def find_metric_pair(table: Table) -> tuple[str, str] | None:
    """Return the table's names of precision and recall, where it has both."""
    metrics = table.group.metrics
    return next((p for p in METRIC_PAIRS if p[0] in metrics and p[1] in metrics), None)


def collect_scores(method: Method, metrics: Sequence[str]) -> np.ndarray:
    """Return the scores of the finished runs that have all M metrics, [N, M]."""
    rows = [row for row in method.rows if row.status == "finished"]
    scores = [[r.scores[m] for m in metrics] for r in rows if all(m in r.scores for m in metrics)]
    return np.array(scores, dtype=np.float64).reshape(-1, len(metrics))


def harmonic_mean(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """F1 = 2 p r / (p + r); 0 where both are 0."""
    total = precision + recall
    return np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
