"""Set axes with few plain numbers, and draw points that take few bytes."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

MAX_TICKS = 6
LOG_RATIO = 30.0  # largest over smallest score from which on its axis is logarithmic


def needs_log_axis(values: Iterable[float], ratio: float = LOG_RATIO) -> bool:
    """Return whether all values are positive and span too much for a linear axis."""
    array = np.asarray(list(values))
    return bool(array.size) and array.min() > 0 and array.max() > ratio * array.min()


def set_scale(axis: Any, values: Iterable[float], *, log: bool, max_ticks: int = MAX_TICKS) -> None:
    """Set an axis to the range of the values plus a small margin, with few plain ticks."""
    array = np.asarray(list(values), dtype=np.float64)
    low, high = float(array.min()), float(array.max())
    limits = axis.axes.set_xlim if axis.axis_name == "x" else axis.axes.set_ylim
    if log:
        axis._set_axes_scale("log")
        margin = (high / low) ** 0.05 if high > low else 1.2
        limits(low / margin, high * margin)
        set_ticks(axis, log_ticks(low / margin, high * margin, max_ticks))
    else:
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
        limits(low - margin, high + margin)
        set_ticks(axis, linear_ticks(low - margin, high + margin, max_ticks))


def set_ticks(axis: Any, ticks: Sequence[float]) -> None:
    """Put ticks at these values and nowhere else."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FixedFormatter([format_tick(tick) for tick in ticks]))
    axis.set_minor_locator(NullLocator())


def format_tick(value: float) -> str:
    """Format a tick as 0.01, 0.5 or 200, and as 1e-4 where zeros would have to be counted."""
    if 0 < abs(value) < 1e-2:
        mantissa, _, exponent = f"{value:.6e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:g}"


def log_ticks(low: float, high: float, max_ticks: int = MAX_TICKS) -> list[float]:
    """Return 1, 2 and 5 of each decade within the bounds, else 1 and 3, else powers of 10."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for parts in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{part}e{decade}") for decade in decades for part in parts]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= max_ticks:
            break
    middle = float(f"{math.sqrt(low * high):.2g}")
    return ticks[:: -(-len(ticks) // max_ticks)] if ticks else [middle]


def linear_ticks(low: float, high: float, max_ticks: int = MAX_TICKS) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of 10 within the bounds; low where they meet."""
    if high <= low:
        return [low]
    rough_step = (high - low) / max_ticks
    power = 10.0 ** math.floor(math.log10(rough_step))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough_step * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{n * step:.10g}") for n in range(first, last + 1)]


def jitter(count: int, spread: float) -> np.ndarray:
    """Return offsets that fill [-spread, spread] evenly and without randomness: Weyl's sequence."""
    return ((np.arange(count) * 0.6180339887498949 + 0.5) % 1 - 0.5) * 2 * spread


def draw_points(
    axes: Any, x: Any, y: Any, *, colour: str, size: float = 3.0, alpha: float = 0.6
) -> None:
    """Draw points, `size` points wide, as strokes with round caps: a third of markers' bytes."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.size:
        low, high = axes.get_ylim()
        end = y * 1.0001 if axes.get_yscale() == "log" else y + 1e-4 * abs(high - low)
        gap = np.full_like(x, np.nan)
        xs, ys = (np.stack(ends, axis=1).ravel() for ends in ((x, x, gap), (y, end, gap)))
        axes.plot(xs, ys, snap=False, color=colour, alpha=alpha, linewidth=size,
                  solid_capstyle="round", zorder=3)  # fmt: skip
