"""Axes of statements' figures."""

from typing import Any


def logarithmic(axes: Any, which: str = "xy") -> None:
    """Logarithmic axes with plain numbers at its ticks: no mathtext is parsed; call it last."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for name in which:
        getattr(axes, f"set_{name}scale")("log")
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(
            LogLocator(10, subs=(1.0, 3.0) if _narrow(axis) else (1.0,), numticks=6)
        )
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def _narrow(axis: Any) -> bool:
    low, high = axis.get_view_interval()
    return high < 100 * low  # less than two powers of ten
