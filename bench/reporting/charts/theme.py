"""Style all charts alike, with the page's colours for light and dark; name their common parts."""

from typing import Any

from bench.plotting import style

INK, MUTED, RULE, ACCENT, SECOND = (
    style.VARIABLES[colour]
    for colour in (style.INK, style.MUTED, style.RULE, style.ACCENT, style.SECOND)
)
# Equal to --sans of the page, for Vega measures text before it sees the stylesheet.
FONT = "Inter, Helvetica Neue, Segoe UI, Roboto, Liberation Sans, Arial, sans-serif"
CONFIG: dict[str, Any] = {
    "aria": False,  # the page labels each chart as a whole; a table has its numbers
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        **dict.fromkeys(("domainColor", "tickColor", "gridColor"), RULE),
        **dict.fromkeys(("labelColor", "titleColor"), MUTED),
        **dict.fromkeys(("labelFontSize", "titleFontSize"), 12),
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


def chart(height: int, **parts: Any) -> dict[str, Any]:
    """Specify a chart as wide as its place, and so many pixels high."""
    fit = {"type": "fit-x", "contains": "padding"}
    return {"width": "container", "height": height, "autosize": fit, **parts}


def number(field: str, **parts: Any) -> dict[str, Any]:
    """Specify the number that a place on an axis stands for."""
    return {"field": field, "type": "quantitative", **parts}


def layer(
    dataset: str, mark: str, *, where: str = "", encoding: Any = None, **look: Any
) -> dict[str, Any]:
    """Specify marks of one look for the lines of a dataset that meet a condition, if any."""
    return {
        "data": {"name": dataset},
        **({"transform": [{"filter": where}]} if where else {}),
        "mark": {"type": mark, **look},
        **({"encoding": encoding} if encoding else {}),
    }


def tooltip(**titles: str) -> list[dict[str, str]]:
    """Specify a tooltip, field -> title; with a blank title it has no name before its value."""
    return [{"title": title, "field": field} for field, title in titles.items()]
