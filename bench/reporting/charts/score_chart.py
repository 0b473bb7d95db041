"""Specify the leaderboard's chart: every run's score, each mean with its interval, real samples."""

from typing import Any

from bench.reporting.charts.theme import ACCENT, INK, MUTED, SECOND, chart, layer, number, tooltip

ROW = 28  # pixels of a method


def score_chart() -> dict[str, Any]:
    """Specify the chart without its numbers, which the page's script fills in.

    The script sets the datasets, the order of names, title and scale of the axis, and the height:
    as many rows as there are names. The datasets are `runs` (name, value, lane, run and texts),
    `means` (name, value, low, high and the texts of its tooltip), `lost` (name, text) and `floor`
    (value, text).
    """
    look = {"labelColor": INK, "labelFontSize": 13, "labelLimit": 160}
    names = {"title": None, "ticks": False, "domain": False, "grid": True, **look}
    scores = {"title": "", "grid": False, "format": ",~r", "tickCount": 6}
    return chart(
        ROW,
        padding={"left": 0, "right": 8, "top": 18, "bottom": 0},
        datasets={"runs": [], "means": [], "lost": [], "floor": []},
        encoding={
            "x": number("value", scale={}, axis=scores),
            "y": {"field": "name", "type": "nominal", "sort": [], "axis": names},
        },
        layer=_layers(),
    )


def _layers() -> list[dict[str, Any]]:
    run_texts = tooltip(name=" ", text="score", which="run", run="run_id")
    mean_texts = tooltip(
        name=" ",
        mean="mean",
        sd="standard deviation",
        interval="95% interval of the mean",
        range="lowest to highest",
        n="scored runs",
    )
    dots = {"yOffset": number("lane", scale={"domain": [-5, 5]}), "tooltip": run_texts}
    interval = {"x": number("low", title=None), "x2": {"field": "high"}, "tooltip": mean_texts}
    upright = {"y": {"value": 0}, "y2": {"value": "height"}}
    above, text = {"value": -8}, {"field": "text"}
    return [
        layer("floor", "rule", encoding=upright, color=SECOND, strokeDash=[2, 3]),
        layer("floor", "text", encoding={"y": above, "text": text}, color=SECOND, fontSize=12,
              align="left", dx=-1),
        {"name": "dots"}
        | layer("runs", "circle", encoding=dots, size=58, color=INK, opacity=0.42,
                cursor="pointer"),
        layer("means", "rule", where="isValid(datum.low)", encoding=interval, strokeWidth=9,
              color=ACCENT, opacity=0.28),
        layer("means", "tick", encoding={"tooltip": mean_texts}, color=ACCENT, thickness=3,
              size=20, opacity=1),
        layer("lost", "text", encoding={"x": {"value": "width"}, "text": text}, align="right",
              color=MUTED, fontSize=11, dy=-8),
    ]  # fmt: skip
