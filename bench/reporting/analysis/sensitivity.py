"""How the score of a search depends on each hyperparameter, one at a time."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bench.reporting.tables.search import Search, Searched
from bench.runs.rows import Setting

FEW = 3  # distinct values that are drawn as columns, each with its median


@dataclass(frozen=True)
class Effect:
    """One hyperparameter of one variant against the score.

    Args:
        values: of the configurations; for columns their places in `labels`, [n].
        scores: of the same, the untrained generator's where all runs diverged, [n].
        lost: where they did, [n].
        labels: of the columns; empty for a number on an axis.
        rho: Spearman's rank correlation of value and score; None for columns, and where either
            is constant.
        p: of a rho as far from 0 between independent numbers, for this one panel alone.
    """

    values: np.ndarray
    scores: np.ndarray
    lost: np.ndarray
    labels: tuple[str, ...]
    rho: float | None
    p: float | None

    @property
    def medians(self) -> list[float]:
        """Median score of each column."""
        columns = range(len(self.labels))
        return [float(np.median(self.scores[self.values == c])) for c in columns]


def effects_of(search: Search) -> dict[str, dict[str, Effect]]:
    """Variant -> hyperparameter -> effect, of those that the search varied."""
    return {one.name: _effects(one) for one in search.variants}


def even_in_log(values: Iterable[float]) -> bool:
    """Whether values lie more evenly on a logarithmic axis than on a linear one.

    That is where their median stands nearer to the middle between lowest and highest.
    """
    array = np.asarray(list(values), dtype=np.float64)
    if not array.size or array.min() <= 0 or array.min() == array.max():
        return False
    return _off_centre(np.log(array)) < _off_centre(array)


def _off_centre(values: np.ndarray) -> float:
    low, high = values.min(), values.max()
    return abs(float((np.median(values) - low) / (high - low)) - 0.5)


def _effects(searched: Searched) -> dict[str, Effect]:
    told = [
        (config.hyperparameters, searched.sign * cost, config.score is None)
        for config, cost in zip(searched.configs, searched.costs, strict=True)
        if config.hyperparameters
    ]
    names = dict.fromkeys(name for settings, _, _ in told for name in settings)
    found = {name: [t for t in told if name in t[0]] for name in names}
    return {
        name: _effect([settings[name] for settings, _, _ in rows], rows)
        for name, rows in found.items()
        if len({settings[name] for settings, _, _ in rows}) > 1
    }


def _effect(
    settings: list[Setting], rows: list[tuple[Mapping[str, Setting], float, bool]]
) -> Effect:
    scores, lost = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    numeric = all(isinstance(s, int | float) and not isinstance(s, bool) for s in settings)
    distinct = sorted(set(settings), key=lambda s: (s is not None, s if numeric else str(s)))
    if not numeric or len(distinct) <= FEW:
        values = np.array([distinct.index(s) for s in settings], dtype=np.float64)
        return Effect(values, scores, lost, tuple(_said(s) for s in distinct), None, None)
    values = np.array(settings, dtype=np.float64)
    rho, p = _spearman(values, scores)
    return Effect(values, scores, lost, (), rho, p)


def _said(setting: Setting) -> str:
    if isinstance(setting, bool):
        return "on" if setting else "off"
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def _spearman(values: np.ndarray, scores: np.ndarray) -> tuple[float | None, float | None]:
    from scipy.stats import spearmanr

    if len(set(scores.tolist())) < 2 or len(values) < 3:
        return None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a perfect order divides by 0 on the way to p = 0
        found = spearmanr(values, scores)
    return float(found.statistic), float(found.pvalue)
