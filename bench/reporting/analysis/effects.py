"""Relate the score of a search to each hyperparameter, one at a time."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bench.core.number_checks import is_number
from bench.reporting.tables.search import Search, SearchedVariant
from bench.runs.rows import Setting

MAX_COLUMNS = 3  # distinct numbers that are drawn as columns, each with its median

Outcome = tuple[Mapping[str, Setting], float, bool]  # hyperparameters, score, whether it diverged


@dataclass(frozen=True)
class Effect:
    """Values of one hyperparameter of one variant, with the scores of its n configurations.

    Args:
        values: the hyperparameter; for columns the index into `labels`, [n].
        scores: the configurations' scores; the untrained generator's where all runs diverged, [n].
        diverged: where all runs diverged, [n].
        labels: names of the columns; empty for a number on an axis.
        rho: Spearman's rank correlation of value and score; None for columns, and where either
            is constant.
        p: probability of a rho as far from 0 between independent numbers, for this panel only.
    """

    values: np.ndarray
    scores: np.ndarray
    diverged: np.ndarray
    labels: tuple[str, ...]
    rho: float | None
    p: float | None

    @property
    def medians(self) -> list[float]:
        """Return the median score of each column."""
        columns = range(len(self.labels))
        return [float(np.median(self.scores[self.values == c])) for c in columns]


def hyperparameter_effects(search: Search) -> dict[str, dict[str, Effect]]:
    """Return variant -> hyperparameter -> effect, of the hyperparameters that the search varied."""
    return {one.name: _effects_of_variant(one) for one in search.variants}


def prefers_log_axis(values: Iterable[float]) -> bool:
    """Return whether values lie more evenly on a logarithmic axis than on a linear one.

    That is where their median stands nearer to the middle between lowest and highest.
    """
    array = np.asarray(list(values), dtype=np.float64)
    if not array.size or array.min() <= 0 or array.min() == array.max():
        return False
    return _off_centre(np.log(array)) < _off_centre(array)


def _off_centre(values: np.ndarray) -> float:
    low, high = values.min(), values.max()
    return abs(float((np.median(values) - low) / (high - low)) - 0.5)


def _effects_of_variant(searched: SearchedVariant) -> dict[str, Effect]:
    outcomes: list[Outcome] = [
        (config.hyperparameters, searched.sign * cost, config.score is None)
        for config, cost in zip(searched.configs, searched.costs, strict=True)
        if config.hyperparameters
    ]
    names = dict.fromkeys(name for settings, _, _ in outcomes for name in settings)
    by_name = {name: [o for o in outcomes if name in o[0]] for name in names}
    return {
        name: _effect([settings[name] for settings, _, _ in having], having)
        for name, having in by_name.items()
        if len({settings[name] for settings, _, _ in having}) > 1
    }


def _effect(settings: list[Setting], outcomes: list[Outcome]) -> Effect:
    scores, diverged = np.array([o[1] for o in outcomes]), np.array([o[2] for o in outcomes])
    numeric = all(is_number(s) for s in settings)
    distinct = sorted(set(settings), key=lambda s: (s is not None, s if numeric else str(s)))
    if not numeric or len(distinct) <= MAX_COLUMNS:
        values = np.array([distinct.index(s) for s in settings], dtype=np.float64)
        labels = tuple(_format_setting(s) for s in distinct)
        return Effect(values, scores, diverged, labels, None, None)
    values = np.array(settings, dtype=np.float64)
    rho, p = _spearman(values, scores)
    return Effect(values, scores, diverged, (), rho, p)


def _format_setting(setting: Setting) -> str:
    if isinstance(setting, bool):
        return "on" if setting else "off"
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def _spearman(values: np.ndarray, scores: np.ndarray) -> tuple[float | None, float | None]:
    from scipy.stats import spearmanr

    if len(set(scores.tolist())) < 2 or len(values) < 3:
        return None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a perfect order divides by 0 on the way to p = 0
        correlation = spearmanr(values, scores)
    return float(correlation.statistic), float(correlation.pvalue)
