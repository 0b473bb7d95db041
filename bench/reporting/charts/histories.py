"""Curves of one run over its discriminator steps."""

from typing import Any

from bench.reporting.charts.look import ACCENT, INK, SECOND, line, steps_axis

HEIGHT = 170  # pixels
LOSSES = {"d_loss": "discriminator, or the only one", "g_loss": "generator"}


def scores() -> dict[str, Any]:
    """The Frechet distance of the checkpoints scored while the run trained; dataset `curve`."""
    said = "Frechet distance, at validation"
    return _chart(
        {
            "mark": {"type": "line", "color": INK, "point": {"size": 40, "color": INK}},
            "encoding": {
                "x": steps_axis(),
                "y": _values(said, zero=True),
                "tooltip": [line("step", "step", format=","), line(said, "value", format=".4~r")],
            },
        }
    )


def losses() -> dict[str, Any]:
    """Both players' losses; dataset `curve` with the players' names as in LOSSES."""
    players = list(LOSSES.values())
    return _chart(
        {
            "mark": {"type": "line", "strokeWidth": 1.5, "point": {"size": 14}},
            "encoding": {
                "x": steps_axis(),
                "y": _values("loss", zero=False),
                "color": {
                    "field": "player",
                    "type": "nominal",
                    "scale": {"domain": players, "range": [SECOND, ACCENT]},
                    "legend": {"orient": "bottom"},
                },
                "tooltip": [
                    line(" ", "player"),
                    line("step", "step", format=","),
                    line("loss", "value", format=".4~r"),
                ],
            },
        }
    )


def _chart(marks: dict[str, Any]) -> dict[str, Any]:
    return {
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "datasets": {"curve": []},
        "data": {"name": "curve"},
        **marks,
    }


def _values(title: str, *, zero: bool) -> dict[str, Any]:
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": zero},
        "axis": {"title": title, "tickCount": 4, "gridOpacity": 0.6, "domain": False},
    }
