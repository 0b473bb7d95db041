"""One look for all charts: colours are the page's, for light and dark."""

import math
from typing import Any

from bench.reporting.dots import LONG_RATIO

INK, MUTED, RULE = "var(--ink)", "var(--muted)", "var(--rule)"
ACCENT, SECOND = "var(--accent)", "var(--second)"
SERIES = [f"var(--series-{n})" for n in range(1, 9)]
DASHES = [[1, 0], [6, 3], [2, 3]]  # of each round through SERIES, so that no two lines look alike
# As --sans of the page: text is measured before a stylesheet is seen.
FONT = "Inter, Helvetica Neue, Segoe UI, Roboto, Liberation Sans, Arial, sans-serif"
CONFIG: dict[str, Any] = {
    "aria": False,  # the page labels each chart as a whole; a table has its numbers
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "domainColor": RULE,
        "tickColor": RULE,
        "gridColor": RULE,
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 5,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "symbolStrokeWidth": 2,
        "orient": "top",
        "title": None,
    },
}


def log_ticks(low: float, high: float) -> list[float]:
    """Marks of a logarithmic axis: 1, 2 and 5 of each power of ten, or 1 where it is long."""
    digits = (1, 2, 5) if high < LONG_RATIO * low else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
    return [tick for tick in ticks if low <= tick <= high]


def line(title: str, field: str, **others: Any) -> dict[str, Any]:
    """A line of a tooltip; a blank title makes it stand alone."""
    return {"title": title, "field": field, **others}


def steps_axis() -> dict[str, Any]:
    """Discriminator steps from left to right."""
    return {
        "field": "step",
        "type": "quantitative",
        "axis": {"title": "discriminator steps", "grid": False, "tickCount": 5, "format": ",~f"},
        "scale": {"zero": True, "nice": False},
    }
