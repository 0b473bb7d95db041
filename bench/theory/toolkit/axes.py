"""Logarithmic axes with plain numbers at the ticks (figures parse no mathematics), runs as dots."""

from typing import Any

import numpy as np

from bench.plotting.style import HUES, MARKERS


def set_log_axes(axes: Any, which: str = "xy") -> None:
    """Make the axes of `which` logarithmic, with plain numbers at the ticks; call it last."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for name in which:
        getattr(axes, f"set_{name}scale")("log")
        axis = getattr(axes, f"{name}axis")
        low, high = axis.get_view_interval()
        subs = (1.0, 3.0) if high < 100 * low else (1.0,)  # less than two powers of ten
        axis.set_major_locator(LogLocator(10, subs=subs, numticks=6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def label_decades(axis: Any) -> None:
    """Write plain numbers at the ticks that a logarithmic axis has already."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def label_1_2_5(axis: Any) -> None:
    """Write plain numbers at 1, 2 and 5 of each decade of a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))


def plot_runs(
    axes: Any, x: float | np.ndarray, scores: np.ndarray, ceiling: float, place: int
) -> None:
    """Plot the scores of runs, [seeds]; one that diverged is hollow and stands at the ceiling.

    Args:
        x: one place for all seeds, or one for each.
        place: of the hue and the marker.
    """
    heights = np.where(np.isfinite(scores), np.minimum(scores, ceiling), ceiling)
    for at, y, score in zip(np.broadcast_to(x, scores.shape), heights, scores, strict=True):
        face = HUES[place] if np.isfinite(score) else "none"
        axes.plot(at, y, MARKERS[place], color=HUES[place], markerfacecolor=face, markersize=4)
