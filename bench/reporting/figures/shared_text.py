"""Compose text that several figures share: titles of axes and parts of captions."""

from bench.reporting.tables.methods import TableGroup
from bench.reporting.tables.search import Search
from bench.reporting.text import words

DIVERGED_IS_WORST = "A run that diverged counts as worse than any score."


def axis_title(group: TableGroup, *, log: bool, separator: str = ", ") -> str:
    """Compose "Frechet distance (digits_convnet features), lower is better, logarithmic axis"."""
    metric = words.full_metric_title(group.first, group)
    title = f"{metric}{separator}{words.better_direction(group.first, group)}"
    return f"{title}, logarithmic axis" if log else title


def selects_on_other_split(search: Search) -> bool:
    """Return whether configurations are chosen by another split's score than the reported one."""
    return any(c.selection_score != c.score for one in search.variants for c in one.configs)


def describe_untrained_estimate(search: Search) -> str:
    """Say that the untrained generator was not scored, where a diverged run counts as one."""
    any_diverged = any(c.score is None for one in search.variants for c in one.configs)
    if not (search.untrained_estimated and any_diverged):
        return ""
    return " (which was not scored: the worst score of the table stands in for it)"
