"""Axes of statements' figures."""

from typing import Any


def logarithmic(axes: Any, which: str = "xy") -> None:
    """Logarithmic axes with plain numbers at powers of ten: no mathtext is parsed."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for name in which:
        getattr(axes, f"set_{name}scale")("log")
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(LogLocator(10, numticks=6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
