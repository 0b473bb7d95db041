"""Every run's score, its contender's mean and interval, and what real samples reach."""

from typing import Any

from bench.reporting.charts.look import ACCENT, INK, MUTED, SECOND, line

ROW = 28  # pixels of a contender
MEAN = [
    line(" ", "name"),
    line("mean", "mean"),
    line("standard deviation", "sd"),
    line("95% interval of the mean", "interval"),
    line("lowest to highest", "range"),
    line("scored runs", "n"),
]


def dots() -> dict[str, Any]:
    """The specification without its numbers; the page fills in the rest.

    Those are datasets, order of names, title and scale of the axis, and as many rows of height as
    there are names.

    The datasets are `runs` (name, value, lane, run and texts), `means` (name, value, low, high and
    the texts of MEAN), `lost` (name, text) and `floor` (value, text).
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
        "layer": [_floor(), _floor_label(), _dots(), _interval(), _mean(), _lost()],
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
                line(" ", "name"),
                line("score", "text"),
                line("run", "which"),
                line("run_id", "run"),
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
            "tooltip": MEAN,
        },
    }


def _mean() -> dict[str, Any]:
    return {
        "data": {"name": "means"},
        "mark": {"type": "tick", "color": ACCENT, "thickness": 3, "size": 20, "opacity": 1},
        "encoding": {"tooltip": MEAN},
    }


def _lost() -> dict[str, Any]:
    return {
        "data": {"name": "lost"},
        "mark": {"type": "text", "align": "right", "color": MUTED, "fontSize": 11, "dy": -8},
        "encoding": {"x": {"value": "width"}, "text": {"field": "text"}},
    }


def _floor() -> dict[str, Any]:
    return {
        "data": {"name": "floor"},
        "mark": {"type": "rule", "color": SECOND, "strokeDash": [2, 3]},
        "encoding": {"y": {"value": 0}, "y2": {"value": "height"}},
    }


def _floor_label() -> dict[str, Any]:
    return {
        "data": {"name": "floor"},
        "mark": {"type": "text", "color": SECOND, "fontSize": 12, "align": "left", "dx": -1},
        "encoding": {"y": {"value": -8}, "text": {"field": "text"}},
    }
