"""Specify the leaderboard's chart: every run's score, each mean with its interval, real samples."""

from typing import Any

from bench.reporting.charts.theme import ACCENT, INK, MUTED, SECOND, tooltip_line

ROW = 28  # pixels of a method
MEAN_TOOLTIP = [
    tooltip_line(" ", "name"),
    tooltip_line("mean", "mean"),
    tooltip_line("standard deviation", "sd"),
    tooltip_line("95% interval of the mean", "interval"),
    tooltip_line("lowest to highest", "range"),
    tooltip_line("scored runs", "n"),
]


def score_chart() -> dict[str, Any]:
    """Specify the chart without its numbers, which the page's script fills in.

    The script sets the datasets, the order of names, title and scale of the axis, and the height:
    as many rows as there are names. The datasets are `runs` (name, value, lane, run and texts),
    `means` (name, value, low, high and the texts of MEAN_TOOLTIP), `lost` (name, text) and `floor`
    (value, text).
    """
    return {
        "width": "container",
        "height": ROW,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 0, "right": 8, "top": 18, "bottom": 0},
        "datasets": {"runs": [], "means": [], "lost": [], "floor": []},
        "encoding": {
            "x": {
                "field": "value",
                "type": "quantitative",
                "scale": {},
                "axis": {
                    "title": "",
                    "grid": False,
                    "format": ",~r",
                    "tickCount": 6,
                },
            },
            "y": {
                "field": "name",
                "type": "nominal",
                "sort": [],
                "axis": {
                    "title": None,
                    "ticks": False,
                    "domain": False,
                    "grid": True,
                    "labelColor": INK,
                    "labelFontSize": 13,
                    "labelLimit": 160,
                },
            },
        },
        "layer": [_baseline(), _baseline_label(), _dots(), _interval(), _mean(), _unscored_runs()],
    }


def _dots() -> dict[str, Any]:
    return {
        "name": "dots",
        "data": {"name": "runs"},
        "mark": {
            "type": "circle",
            "size": 58,
            "color": INK,
            "opacity": 0.42,
            "cursor": "pointer",
        },
        "encoding": {
            "yOffset": {"field": "lane", "type": "quantitative", "scale": {"domain": [-5, 5]}},
            "tooltip": [
                tooltip_line(" ", "name"),
                tooltip_line("score", "text"),
                tooltip_line("run", "which"),
                tooltip_line("run_id", "run"),
            ],
        },
    }


def _interval() -> dict[str, Any]:
    return {
        "data": {"name": "means"},
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "strokeWidth": 9, "color": ACCENT, "opacity": 0.28},
        "encoding": {
            "x": {"field": "low", "type": "quantitative", "title": None},
            "x2": {"field": "high"},
            "tooltip": MEAN_TOOLTIP,
        },
    }


def _mean() -> dict[str, Any]:
    return {
        "data": {"name": "means"},
        "mark": {"type": "tick", "color": ACCENT, "thickness": 3, "size": 20, "opacity": 1},
        "encoding": {"tooltip": MEAN_TOOLTIP},
    }


def _unscored_runs() -> dict[str, Any]:
    return {
        "data": {"name": "lost"},
        "mark": {"type": "text", "align": "right", "color": MUTED, "fontSize": 11, "dy": -8},
        "encoding": {"x": {"value": "width"}, "text": {"field": "text"}},
    }


def _baseline() -> dict[str, Any]:
    return {
        "data": {"name": "floor"},
        "mark": {"type": "rule", "color": SECOND, "strokeDash": [2, 3]},
        "encoding": {"y": {"value": 0}, "y2": {"value": "height"}},
    }


def _baseline_label() -> dict[str, Any]:
    return {
        "data": {"name": "floor"},
        "mark": {"type": "text", "color": SECOND, "fontSize": 12, "align": "left", "dx": -1},
        "encoding": {"y": {"value": -8}, "text": {"field": "text"}},
    }
