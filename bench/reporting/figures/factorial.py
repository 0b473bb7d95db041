"""Draw a factorial as a grid of dots: a panel and a column for each cell, a dot for each seed."""

from itertools import product
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import HUES, INK, MARKERS, SECOND, Drawing, figure, render, wrap_name
from bench.reporting.analysis.factorial import Factorial, read_factorial
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData
from bench.reporting.figures.shared_text import axis_title
from bench.reporting.text import words

PANEL = 2.0  # inches of a panel's height
COLUMNS = 2  # panels side by side
SPREAD = 0.7  # of a column that its hues share


def draw(section: SectionData) -> Drawing | None:
    """Draw the cells; None where the stage has no grid of two factors with scores."""
    factorial = read_factorial(section.table.group)
    if factorial is None or len(factorial.factors) < 2:
        return None
    across, hue, *rest = _by_size(factorial)
    panels = [dict(zip(rest, levels, strict=True)) for levels in _levels(factorial, rest)]
    names = [wrap_name(level, 14) for level in factorial.factors[across]]
    lines = max(name.count("\n") for name in names) + 1
    margins = layout.Margins(0.62, 0.1, 0.55, 0.2 + 0.13 * lines + 0.22)
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    height = margins.top + margins.bottom + rows * PANEL + (rows - 1) * 0.4
    scores = np.exp(factorial.logs)
    baseline = section.table.real_baseline.get(factorial.group.first)
    shown = [*scores.ravel(), *([baseline.mean] if baseline and baseline.mean > 0 else [])]
    with figure(layout.FIGURE_WIDTH, height, placed=True) as fig:
        axes = layout.add_panels(fig, len(panels), columns, margins, (0.15, 0.4))
        log = scales.needs_log_axis(shown, ratio=3.0)  # effects are ratios
        scales.set_scale(axes[0].yaxis, shown, log=log)
        axes[0].set_xticks(range(len(names)), names)
        axes[0].set_xlim(-0.5, len(names) - 0.5)
        for panel, levels in zip(axes, panels, strict=True):
            _draw_panel(panel, factorial, levels, across, hue)
            if baseline is not None:
                panel.axhline(baseline.mean, color=SECOND, linewidth=1.0, linestyle=(0, (1, 1.5)))
            panel.set_title(", ".join(f"{k}={v}" for k, v in levels.items()))
        for place in range(0, len(panels), columns):
            axes[place].set_ylabel(words.metric_title(factorial.group.first))
        axes[max(0, len(panels) - columns)].set_xlabel(words.factor_title(across))
        labels.add_legend(fig, _legend(factorial, hue), below=0.05)
        alt = f"Scores by {words.join_with_and(factorial.factors)}, one dot per seed."
        return render(fig, f"{factorial.group.slug}-factorial", alt)


def caption(section: SectionData) -> str:
    """Say what a dot and a stroke are."""
    factorial = read_factorial(section.table.group)
    assert factorial is not None
    line = "; the dotted line is the score of real samples" if section.table.real_baseline else ""
    title = axis_title(factorial.group, log=False)
    return f"{title}. One dot per seed; the stroke is their geometric mean{line}."


def _by_size(factorial: Factorial) -> list[str]:
    """Return the factors: that with most levels across, the next as hues, the rest as panels."""
    return sorted(factorial.factors, key=lambda name: -len(factorial.factors[name]))


def _levels(factorial: Factorial, names: list[str]) -> list[tuple[str, ...]]:
    return list(product(*(factorial.factors[name] for name in names)))


def _draw_panel(
    axes: Any, factorial: Factorial, levels: dict[str, str], across: str, hue: str
) -> None:
    hues = factorial.factors[hue]
    for place, level in enumerate(factorial.factors[across]):
        for index, kind in enumerate(hues):
            logs = factorial.at(**{**levels, across: level, hue: kind})
            x = place + SPREAD * ((index + 0.5) / len(hues) - 0.5)
            offsets = scales.jitter(len(logs), 0.25 * SPREAD / len(hues))
            axes.plot(x + offsets, np.exp(logs), MARKERS[index], color=HUES[index], alpha=0.5,
                      markersize=3, markeredgewidth=0, zorder=3)  # fmt: skip
            mean, half = np.exp(logs.mean()), 0.4 * SPREAD / len(hues)
            axes.plot([x - half, x + half], [mean, mean], color=INK, linewidth=1.6, zorder=4)


def _legend(factorial: Factorial, hue: str) -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D

    marks = (
        Line2D([], [], color=HUES[i], marker=MARKERS[i], linestyle="", markersize=4)
        for i in range(len(factorial.factors[hue]))
    )
    return [
        (mark, f"{hue}={kind}") for mark, kind in zip(marks, factorial.factors[hue], strict=True)
    ]


FIGURE = FigureSpec("", (SEEDS,), draw, caption, place=-1)
