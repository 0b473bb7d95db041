"""Style all charts alike, with the page's colours for light and dark."""

from typing import Any

INK, MUTED, RULE = "var(--ink)", "var(--muted)", "var(--rule)"
ACCENT, SECOND = "var(--accent)", "var(--second)"
# Equal to --sans of the page, for Vega measures text before it sees the stylesheet.
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


def tooltip_line(title: str, field: str, **others: Any) -> dict[str, Any]:
    """Specify a line of a tooltip; with a blank title it has no name before its value."""
    return {"title": title, "field": field, **others}


def steps_axis() -> dict[str, Any]:
    """Specify an x axis of discriminator steps."""
    return {
        "field": "step",
        "type": "quantitative",
        "axis": {"title": "discriminator steps", "grid": False, "tickCount": 5, "format": ",~f"},
        "scale": {"zero": True, "nice": False},
    }
