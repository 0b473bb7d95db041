"""Expected best score against budget, the study's central figure: together and one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, RULE, SECOND, Drawing, Look, figure, render
from bench.reporting.analysis.budgets import Budget
from bench.reporting.figures.axis_titles import quantity
from bench.reporting.tables.search import Search
from bench.reporting.tables.summary import RESAMPLES
from bench.reporting.text import words

COLUMNS = 3
AXIS = "configurations tried, logarithmic"
BEYOND = (0, (2.2, 1.6))  # dashes of what no interval is drawn for


def together(
    search: Search, budgets: Sequence[Budget], looks: Mapping[str, Look]
) -> Drawing | None:
    """The mean of every variant in one panel; None for fewer than two budgets."""
    most = max((len(b.ks) for b in budgets), default=0)
    if most < 2:
        return None
    group = search.table.group
    names = [b.variant for b in budgets]
    margins = layout.Margins(0.55, layout.width_of(names) + 0.25, 0.28, 0.48)
    with figure(7.0, max(3.6, 0.16 * len(names) + 1.2), placed=True) as shape:
        (axes,) = layout.panels(shape, 1, 1, margins)
        log = _scales(axes, budgets, [b.mean for b in budgets])
        for budget in budgets:
            colour, marker = looks[budget.variant]
            _mean(axes, budget, colour, 1.5)
            marked = np.unique(np.geomspace(1, len(budget.ks), 5).round().astype(int)) - 1
            axes.plot(budget.ks[marked], budget.mean[marked], marker, color=colour,
                      markersize=4, clip_on=False, zorder=5)  # fmt: skip
        ends = [(float(b.mean[-1]), b.variant, looks[b.variant].colour) for b in budgets]
        labels.label_ends(axes, ends)
        axes.set_xlabel(AXIS)
        axes.set_title(quantity(group, log=log), color=MUTED)
        alt = f"Expected {words.title(group.first)} of what a search finds against its budget."
        return render(shape, f"{group.slug}-budget", alt)


def each(search: Search, budgets: Sequence[Budget]) -> Drawing | None:
    """A panel for each variant, the others' means in grey; None for fewer than two budgets."""
    if max((len(b.ks) for b in budgets), default=0) < 2:
        return None
    group = search.table.group
    columns = min(COLUMNS, len(budgets))
    rows = -(-len(budgets) // columns)
    margins = layout.Margins(0.45, 0.1, 0.72, 0.45)
    with figure(7.0, 1.25 * rows + 0.85, placed=True) as shape:
        grid = layout.panels(shape, len(budgets), columns, margins, (0.15, 0.3))
        log = _scales(grid[0], budgets, [b.quantiles for b in budgets], most=6)
        for axes, budget in zip(grid, budgets, strict=True):
            _others(axes, budgets)
            _own(axes, budget)
            labels.name_panel(axes, budget.variant, columns)
        for axes in grid[-columns:]:
            axes.set_xlabel(AXIS, labelpad=1.5)
        labels.heading(shape, quantity(group, log=log))
        labels.key(shape, _marks(), columns=5)
        alt = (
            f"{words.title(group.first)} of what a search finds against its budget, for each "
            f"variant: mean, median and band."
        )
        return render(shape, f"{group.slug}-budgets", alt)


def _scales(
    axes: Any, budgets: Sequence[Budget], shown: Sequence[np.ndarray], most: int = 8
) -> bool:
    values = np.concatenate([np.ravel(part) for part in shown])
    log = scales.is_long(values)
    scales.scale(axes.yaxis, values, log=log, most=most)
    largest = max(int(b.ks[-1]) for b in budgets)
    scales.scale(axes.xaxis, [1, largest], log=True, most=most)
    axes.set_xlim(1 / largest**0.02, largest)
    return log


def _mean(axes: Any, budget: Budget, colour: str, width: float) -> None:
    """Solid as far as an interval is trusted, dashed beyond."""
    known = budget.ks <= budget.trusted
    far = ~known
    far[known.sum() - 1] = True  # the two parts meet
    axes.plot(budget.ks[known], budget.mean[known], color=colour, linewidth=width, zorder=4)
    axes.plot(budget.ks[far], budget.mean[far], color=colour, linewidth=0.75 * width,
              linestyle=BEYOND, zorder=4)  # fmt: skip


def _others(axes: Any, budgets: Sequence[Budget]) -> None:
    """All means as one grey path."""
    x = np.concatenate([np.append(b.ks, np.nan) for b in budgets])
    y = np.concatenate([np.append(b.mean, np.nan) for b in budgets])
    axes.plot(x, y, color=RULE, linewidth=0.8, zorder=1)


def _own(axes: Any, budget: Budget) -> None:
    low, median, high = budget.quantiles.T
    axes.fill_between(budget.ks, low, high, color=SECOND, alpha=0.16, linewidth=0, zorder=2)
    axes.plot(budget.ks, median, color=SECOND, linewidth=1.0, zorder=3)
    _mean(axes, budget, ACCENT, 1.4)
    scales.dots(axes, budget.ks, budget.resampled, colour=INK, size=1.9, alpha=0.7)
    ends = budget.intervals
    gap = np.full(len(ends), np.nan)
    bars = np.stack([ends[:, 0], ends[:, 1], gap], axis=1).ravel()
    axes.plot(np.repeat(budget.ks[: len(ends)], 3), bars, color=ACCENT, linewidth=0.9, zorder=5)


def _marks() -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        (Line2D([], [], color=ACCENT, linewidth=1.4), "mean"),
        (Line2D([], [], color=SECOND, linewidth=1.0), "median"),
        (Patch(color=SECOND, alpha=0.16, linewidth=0), "10 to 90 %"),
        (
            Line2D([], [], color=ACCENT, marker="|", linestyle="", markersize=7),
            "interval of the mean",
        ),
        (
            Line2D([], [], color=INK, marker=".", linestyle="", markersize=3),
            f"{RESAMPLES:,} resamples, with replacement",
        ),
    ]
