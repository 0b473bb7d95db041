"""Axes with few plain numbers, and points that take few bytes."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

MOST_TICKS = 6
LOG_RATIO = 30.0  # largest over smallest score from which on its axis is logarithmic


def is_long(values: Iterable[float], ratio: float = LOG_RATIO) -> bool:
    """Whether scores are all positive and span so much that a linear axis would hide most."""
    array = np.asarray(list(values))
    return bool(array.size) and array.min() > 0 and array.max() > ratio * array.min()


def scale(axis: Any, values: Iterable[float], *, log: bool, most: int = MOST_TICKS) -> None:
    """An axis with a few plain numbers that holds the values with a small margin."""
    array = np.asarray(list(values), dtype=np.float64)
    low, high = float(array.min()), float(array.max())
    limits = axis.axes.set_xlim if axis.axis_name == "x" else axis.axes.set_ylim
    if log:
        axis._set_axes_scale("log")
        margin = (high / low) ** 0.05 if high > low else 1.2
        limits(low / margin, high * margin)
        fix_ticks(axis, log_ticks(low / margin, high * margin, most))
    else:
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
        limits(low - margin, high + margin)
        fix_ticks(axis, linear_ticks(low - margin, high + margin, most))


def fix_ticks(axis: Any, ticks: Sequence[float]) -> None:
    """Ticks at these values and nowhere else."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FixedFormatter([plain(tick) for tick in ticks]))
    axis.set_minor_locator(NullLocator())


def plain(value: float) -> str:
    """0.01, 0.5, 200; 1e-4 where zeros would have to be counted."""
    if 0 < abs(value) < 1e-2:
        mantissa, _, exponent = f"{value:.6e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:g}"


def log_ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Values within the bounds: 1, 2 and 5 of each decade, else 1 and 3, else powers of 10."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for parts in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{part}e{decade}") for decade in decades for part in parts]
        found = [tick for tick in found if low <= tick <= high]
        if len(found) <= most:
            break
    return found[:: -(-len(found) // most)] if found else [float(f"{math.sqrt(low * high):.2g}")]


def linear_ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of 10 within the bounds; the one number they hold."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{n * step:.10g}") for n in range(first, last + 1)]


def jitter(count: int, spread: float) -> np.ndarray:
    """Places in [-spread, spread] that fill it evenly, the same each time: Weyl's sequence."""
    return ((np.arange(count) * 0.6180339887498949 + 0.5) % 1 - 0.5) * 2 * spread


def dots(axes: Any, x: Any, y: Any, *, colour: str, size: float = 3.0, alpha: float = 0.6) -> None:
    """Points as one path of short strokes with round caps: a third of the bytes of markers.

    Args:
        size: diameter, in points.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.size:
        low, high = axes.get_ylim()
        near = y * 1.0001 if axes.get_yscale() == "log" else y + 1e-4 * abs(high - low)
        gap = np.full_like(x, np.nan)
        axes.plot(
            np.stack([x, x, gap], axis=1).ravel(),
            np.stack([y, near, gap], axis=1).ravel(),
            snap=False,
            color=colour,
            alpha=alpha,
            linewidth=size,
            solid_capstyle="round",
            zorder=3,
        )
