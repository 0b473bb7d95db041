"""Specify the charts of one run's history over its discriminator steps."""

from typing import Any

from bench.reporting.charts.theme import ACCENT, INK, SECOND, steps_axis, tooltip_line

HEIGHT = 170  # pixels
LOSSES = {"d_loss": "discriminator, or the only one", "g_loss": "generator"}


def score_history_chart() -> dict[str, Any]:
    """Specify the Frechet distance of checkpoints scored while training; dataset `curve`."""
    title = "Frechet distance, at validation"
    return _chart(
        {
            "mark": {"type": "line", "color": INK, "point": {"size": 40, "color": INK}},
            "encoding": {
                "x": steps_axis(),
                "y": _y_axis(title, zero=True),
                "tooltip": [
                    tooltip_line("step", "step", format=","),
                    tooltip_line(title, "value", format=".4~r"),
                ],
            },
        }
    )


def loss_history_chart() -> dict[str, Any]:
    """Specify both players' losses; dataset `curve` with the players' names as in LOSSES."""
    players = list(LOSSES.values())
    return _chart(
        {
            "mark": {"type": "line", "strokeWidth": 1.5, "point": {"size": 14}},
            "encoding": {
                "x": steps_axis(),
                "y": _y_axis("loss", zero=False),
                "color": {
                    "field": "player",
                    "type": "nominal",
                    "scale": {"domain": players, "range": [SECOND, ACCENT]},
                    "legend": {"orient": "bottom"},
                },
                "tooltip": [
                    tooltip_line(" ", "player"),
                    tooltip_line("step", "step", format=","),
                    tooltip_line("loss", "value", format=".4~r"),
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


def _y_axis(title: str, *, zero: bool) -> dict[str, Any]:
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": zero},
        "axis": {"title": title, "tickCount": 4, "gridOpacity": 0.6, "domain": False},
    }
