"""Logarithmic axes whose ticks are plain numbers: figures parse no mathematics."""

from typing import Any


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
