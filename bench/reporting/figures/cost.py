"""Draw the score against steps beside the score against training time, a line or dots a variant."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import MUTED, Drawing, figure, render
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData
from bench.reporting.figures.progress import bands_by_method
from bench.reporting.tables.methods import Method
from bench.reporting.tables.summary import median_fact
from bench.reporting.text import words

AXES = {"discriminator steps": "d_steps", "seconds of training": "wall_seconds"}


class Costs(NamedTuple):
    """Scores of a method with what they cost.

    Args:
        score: scores, [N]: of its runs, or the medians over seeds while training.
        d_steps, wall_seconds: discriminator steps and seconds of training of each, [N].
        is_line: whether the scores are of one training, and not of several runs.
    """

    score: np.ndarray
    d_steps: np.ndarray
    wall_seconds: np.ndarray
    is_line: bool


def costs_by_method(section: SectionData) -> dict[str, Costs]:
    """Return method -> its scores and costs; scores while training where runs have several.

    The seconds of a checkpoint are its share of the run's steps times the median of the seconds
    that the method's finished runs took.
    """
    table = section.table
    bands = bands_by_method(table) if table.group.first == "frechet" else {}
    while_training = any(len(band.steps) > 1 for band in bands.values())
    costs = {}
    for method in (row.method for row in table.rows):
        if not while_training:
            costs[method.name] = _costs_of_runs(method, table.group.first)
            continue
        seconds, steps = (median_fact(method, fact) for fact in ("wall_seconds", "d_steps"))
        if method.name in bands and seconds is not None and steps:
            band = bands[method.name]
            times = band.steps * seconds / steps
            costs[method.name] = Costs(band.median, band.steps, times, is_line=True)
    return {name: cost for name, cost in costs.items() if cost.score.size}


def draw(section: SectionData) -> Drawing | None:
    """Draw a panel for each cost that differs between points; None where no time was recorded."""
    costs = costs_by_method(section)
    columns = {
        title: {name: getattr(cost, fact) for name, cost in costs.items()}
        for title, fact in AXES.items()
    }
    columns = {t: c for t, c in columns.items() if len({x for xs in c.values() for x in xs}) > 1}
    if "seconds of training" not in columns:
        return None
    group, names = section.table.group, labels.wrap_rows(costs)
    margins = layout.Margins(0.5, layout.text_width(names) + 0.35, 0.3, 0.48)
    scores = np.concatenate([cost.score for cost in costs.values()])
    height = max(2.6, margins.top + sum(labels.row_height([n], 0.135) + 0.058 for n in names))
    with figure(layout.figure_width(margins, 3.0), height, placed=True) as fig:
        grid = layout.add_panels(fig, len(columns), len(columns), margins, (0.3, 0), shared=False)
        log = scales.needs_log_axis(scores)
        for axes, (title, places) in zip(grid, columns.items(), strict=True):
            scales.set_scale(axes.yaxis, scores, log=log)
            axes.tick_params(labelleft=axes is grid[0])
            _draw_panel(axes, section, costs, places)
            axes.set_xlabel(title)
        title = words.metric_title(group.first)
        grid[0].set_title(f"{title}{', logarithmic' if log else ''}", color=MUTED)
        marks = [_mark(section, name, is_line=costs[name].is_line) for name in costs]
        grid[-1].legend(marks, names, loc="upper left", bbox_to_anchor=(1.0, 1.03), frameon=False,
                        fontsize=8, handletextpad=0.3, borderpad=0.2,
                        labelspacing=0.5)  # fmt: skip
        alt = f"{title} of each variant against {words.join_with_and(columns)}."
        return render(fig, f"{group.slug}-cost", alt)


def caption(section: SectionData) -> str:
    """Say what a line or a dot is, and what seconds depend on."""
    costs = costs_by_method(section)
    machines = (
        "Seconds are those of the machines under Provenance, where runs may have shared "
        "processors; scoring is not counted."
    )
    machines += _sampling_sentence(section)
    if any(cost.is_line for cost in costs.values()):
        return (
            "Medians over seeds of the checkpoints scored while training, which are scores on "
            f"other samples than those in the table. {machines}"
        )
    same_steps = len({steps for cost in costs.values() for steps in cost.d_steps}) == 1
    return f"One point per finished run. {'All took the same steps. ' * same_steps}{machines}"


def sampling_costs(section: SectionData) -> dict[str, float]:
    """Return method -> function evaluations per sample, 1 for a generator that is called once."""
    name = "sampling.function_evaluations"
    return {
        method.name: max((row.details.get(name, 1.0) for row in method.rows), default=1.0)
        for method in (row.method for row in section.table.rows)
    }


def _sampling_sentence(section: SectionData) -> str:
    """Name the methods whose samples cost more than one pass; empty where none does."""
    costly = {name: passes for name, passes in sampling_costs(section).items() if passes > 1}
    if not costly:
        return ""
    passes = words.join_with_and(f"{name} {passes:g}" for name, passes in costly.items())
    others = ", all others 1" if len(costly) < len(section.table.rows) else ""
    return f" Function evaluations per sample: {passes}{others}."


def _costs_of_runs(method: Method, metric: str) -> Costs:
    runs = [
        (value, run.facts["d_steps"], run.facts["wall_seconds"])
        for value, run in method.scored_runs(metric)
        if {"d_steps", "wall_seconds"} <= run.facts.keys()
    ]
    scores, d_steps, seconds = np.array(runs, dtype=float).reshape(-1, 3).T
    return Costs(scores, d_steps, seconds, is_line=False)


def _draw_panel(
    axes: Any, section: SectionData, costs: Mapping[str, Costs], places: Mapping[str, np.ndarray]
) -> None:
    """Draw the scores of every method over their places on the x axis."""
    xs = np.concatenate(list(places.values()))
    log = scales.needs_log_axis(xs)
    scales.set_scale(axes.xaxis, xs, log=log)
    for name, cost in costs.items():
        colour, marker = section.styles[name]
        style = "-" if cost.is_line else ""
        axes.plot(places[name], cost.score, marker=marker, linestyle=style, color=colour,
                  markersize=4.2, markeredgewidth=0, linewidth=1.1, alpha=0.75)  # fmt: skip


def _mark(section: SectionData, name: str, *, is_line: bool) -> Any:
    from matplotlib.lines import Line2D

    colour, marker = section.styles[name]
    return Line2D([], [], marker=marker, color=colour, markersize=4.2, markeredgewidth=0,
                  linestyle="-" if is_line else "", linewidth=1.1)  # fmt: skip


FIGURE = FigureSpec("Score against cost", (SEEDS,), draw, caption, place=75)
