"""Specify the charts of one run's history over its discriminator steps."""

from typing import Any

from bench.reporting.charts.theme import ACCENT, INK, SECOND, chart, number, tooltip

HEIGHT = 170  # pixels
LOSSES = {"d_loss": "discriminator, or the only loss", "g_loss": "generator"}


def score_history_chart() -> dict[str, Any]:
    """Specify the Frechet distance of checkpoints scored while training; dataset `curve`."""
    mark = {"type": "line", "color": INK, "point": {"size": 40, "color": INK}}
    return _chart(mark, "Frechet distance, validation split", zero=True)


def loss_history_chart() -> dict[str, Any]:
    """Specify both players' losses; dataset `curve` with the players' names as in LOSSES."""
    colour = {
        "field": "player",
        "type": "nominal",
        "scale": {"domain": list(LOSSES.values()), "range": [SECOND, ACCENT]},
        "legend": {"orient": "bottom", "labelLimit": 0},
    }
    mark = {"type": "line", "strokeWidth": 1.5, "point": {"size": 14}}
    return _chart(mark, "loss", zero=False, heading=tooltip(player=" "), color=colour)


def _chart(
    mark: Any, title: str, *, zero: bool, heading: Any = (), **channels: Any
) -> dict[str, Any]:
    """Specify lines of numbers over steps, on a y axis of a title that holds 0 or need not."""
    steps = {"title": "discriminator steps", "grid": False, "tickCount": 5, "format": ",~f"}
    values = {"title": title, "tickCount": 4, "gridOpacity": 0.6, "domain": False}
    (step,), (value,) = tooltip(step="step"), tooltip(value=title)
    return chart(
        HEIGHT,
        datasets={"curve": []},
        data={"name": "curve"},
        mark=mark,
        encoding={
            "x": number("step", axis=steps, scale={"zero": True, "nice": False}),
            "y": number("value", scale={"zero": zero}, axis=values),
            **channels,
            "tooltip": [*heading, step | {"format": ","}, value | {"format": ".4~r"}],
        },
    )
