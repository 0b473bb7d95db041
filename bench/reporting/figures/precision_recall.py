"""Draw precision against recall, and the first metric against their harmonic mean."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import MUTED, RULE, SECOND, Drawing, MethodStyle, figure, render
from bench.reporting.analysis.precision_recall import (
    collect_scores,
    find_metric_pair,
    harmonic_mean,
)
from bench.reporting.figures.figure import SEARCH, SEEDS, FigureSpec, SectionData
from bench.reporting.tables.summary import Table
from bench.reporting.text import words

LEVELS = (0.2, 0.4, 0.6, 0.8)  # F1 of the curves
MANY_RUNS = 300  # from which on marks are small


def draw(section: SectionData) -> Drawing | None:
    """Draw all runs of all methods in two panels; None where a metric is missing."""
    table, group = section.table, section.table.group
    pair = find_metric_pair(table)
    if pair is None:
        return None
    metrics = (*pair, group.first)
    scores = {row.name: collect_scores(row.method, metrics) for row in table.rows}
    scores = {name: values for name, values in scores.items() if len(values)}
    if not scores:
        return None
    n_runs = sum(map(len, scores.values()))
    names = labels.wrap_rows(scores)
    margins = layout.Margins(0.5, layout.text_width(names) + 0.35, 0.3, 0.48)
    height = max(3.1, margins.top + sum(labels.row_height([n], 0.135) + 0.058 for n in names))
    with figure(layout.figure_width(margins, 3.0), height, placed=True) as fig:
        left, right = layout.add_panels(fig, 2, 2, margins, (0.75, 0), shared=False)
        set_unit_square(left)
        draw_real_samples(left, table, pair)
        for name, values in scores.items():
            colour, marker = section.styles[name]
            left.plot(values[:, 1], values[:, 0], marker, **_mark(colour, n_runs))
        for level in LEVELS:
            left.annotate(f"F1 {level}", (1.03, level / (2 - level)), fontsize=6, color=MUTED,
                          xytext=(1, 0), textcoords="offset points", va="center")  # fmt: skip
        left.set_xlabel(words.metric_title(pair[1]))
        left.set_title(words.metric_title(pair[0]), color=MUTED)
        _draw_scores(right, section, pair, scores)
        _add_legend(right, scores, section.styles)
        alt = f"{words.metric_title(pair[0])} against {words.metric_title(pair[1])} of all runs."
        return render(fig, f"{group.slug}-tradeoff", alt)


def caption(section: SectionData) -> str:
    """Say what the curves, the star and both panels are."""
    return (
        "One point per run that has a score. Left: along each thin curve F1, the harmonic mean of "
        "precision and recall, is constant. Right: "
        f"{words.metric_title(section.table.group.first)} against F1. The star marks real samples. "
        "Runs that diverged have no point."
    )


def set_unit_square(axes: Any) -> None:
    """Set both axes from 0 to 1, with curves of equal harmonic mean."""
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    scales.set_ticks(axes.xaxis, [0, 0.5, 1])
    scales.set_ticks(axes.yaxis, [0, 0.5, 1])
    recall, precision = [], []
    for level in LEVELS:
        r = np.geomspace(level / (2 - level), 1, 40)
        recall += [*r, np.nan]
        precision += [*(level * r / (2 * r - level)), np.nan]
    axes.plot(recall, precision, color=RULE, linewidth=0.7, zorder=0)


def draw_real_samples(
    axes: Any, table: Table, pair: tuple[str, str], *, labelled: bool = True
) -> None:
    """Draw a star at precision and recall of real samples, where both were scored."""
    if not all(metric in table.real_baseline for metric in pair):
        return
    y, x = (table.real_baseline[metric].mean for metric in pair)
    axes.plot([x], [y], "*", color=SECOND, markersize=9, zorder=6)
    if labelled:
        axes.annotate("real samples", (x, y), xytext=(-6, 4), textcoords="offset points",
                      color=SECOND, fontsize=7, ha="right")  # fmt: skip


def _draw_scores(
    axes: Any, section: SectionData, pair: tuple[str, str], scores: Mapping[str, np.ndarray]
) -> None:
    """Draw the first metric against the harmonic mean."""
    first, baseline = section.table.group.first, section.table.real_baseline
    first_scores = np.concatenate([values[:, 2] for values in scores.values()])
    log, n_runs = scales.needs_log_axis(first_scores, ratio=5), len(first_scores)
    scales.set_scale(axes.yaxis, first_scores, log=log)
    axes.set_xlim(-0.03, 1.03)
    scales.set_ticks(axes.xaxis, [0, 0.5, 1])
    for name, values in scores.items():
        colour, marker = section.styles[name]
        f1 = harmonic_mean(values[:, 0], values[:, 1])
        axes.plot(f1, values[:, 2], marker, **_mark(colour, n_runs))
    if all(metric in baseline for metric in (first, *pair)):
        p, r = (np.array([baseline[metric].mean]) for metric in pair)
        real_score = baseline[first].mean
        if axes.get_ylim()[0] <= real_score <= axes.get_ylim()[1]:
            axes.plot(harmonic_mean(p, r), [real_score], "*", color=SECOND, markersize=9, zorder=6)
    axes.set_xlabel(f"F1 of {words.metric_title(pair[0])} and {words.metric_title(pair[1])}")
    axes.set_title(f"{words.metric_title(first)}{' (log)' if log else ''}", color=MUTED)


def _mark(colour: str, n_runs: int) -> dict[str, Any]:
    size = 2.8 if n_runs > MANY_RUNS else 4.2
    shape = {"linestyle": "", "markersize": size, "markeredgewidth": 0}
    return {"color": colour, "alpha": 0.75, "zorder": 3, **shape}


def _add_legend(axes: Any, names: Mapping[str, Any], styles: Mapping[str, MethodStyle]) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker=styles[n].marker, **_mark(styles[n].colour, 0)) for n in names]
    place: Any = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.03), "frameon": False}
    axes.legend(marks, labels.wrap_rows(names), **place, fontsize=8, handletextpad=0.3,
                borderpad=0.2, labelspacing=0.5)  # fmt: skip


FIGURE = FigureSpec("Precision and recall", (SEEDS, SEARCH), draw, caption, place=40)
