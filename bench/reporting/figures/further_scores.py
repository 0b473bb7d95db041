"""Draw each further metric of a table in a small panel of dots."""

from bench.core.text import shorten
from bench.plotting import labels, layout
from bench.plotting.style import Drawing, figure, render
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData
from bench.reporting.figures.scores import draw_dots
from bench.reporting.text import words

TITLE_CHARACTERS = 36  # of a panel's title


def draw(section: SectionData) -> Drawing | None:
    """Draw a panel for each metric but the first; None where there is no other."""
    table, group = section.table, section.table.group
    metrics = [m for m in group.metrics if m != group.first]
    if not metrics:
        return None
    columns = min(3, len(metrics))
    n_rows = -(-len(metrics) // columns)
    names = labels.wrap_rows(row.name for row in table.rows)
    margins = layout.Margins(layout.text_width(names) + 0.15, 0.15, 0.26, 0.26)
    panel_height, gaps = labels.row_height(names, 0.17) * len(names) + 0.05, (0.25, 0.58)
    height = n_rows * panel_height + (n_rows - 1) * gaps[1] + margins.top + margins.bottom
    with figure(max(7.0, margins.left + 1.6 * columns), height, placed=True) as fig:
        grid = layout.add_panels(fig, len(metrics), columns, margins, gaps, shared=False)
        for index, (axes, metric) in enumerate(zip(grid, metrics, strict=True)):
            axes.set_ylim(len(names) - 0.4, -0.6)
            log = draw_dots(axes, table, metric, small=True)
            arrow = "\u2190" if group.metrics[metric] == "lower" else "\u2192"
            arrow = "(as real data)" if words.has_target(metric) else arrow
            title = shorten(words.metric_title(metric), TITLE_CHARACTERS)
            axes.set_title(f"{title} {arrow}{' (log)' if log else ''}")
            labels.label_rows(axes, names)
            axes.tick_params(labelleft=index % columns == 0)
        titles = words.join_with_and(words.metric_title(m) for m in metrics)
        alt = f"{titles} of each variant, one dot per seed; arrows point to the better side."
        return render(fig, f"{group.slug}-scores", alt)


def caption(section: SectionData) -> str:
    """Say what the arrows mean, and what is best where there is none."""
    text = "The other scores, of the same samples and features. Arrows point to the better side."
    if any(map(words.has_target, section.table.group.metrics)):
        text += (
            " The similarity of pairs is best where it equals that of real data: if it is higher "
        )
        text += "samples repeat each other, if it is lower they are noisier than the data."
    return text


FIGURE = FigureSpec("Further scores", (SEEDS,), draw, caption, place=10, folds=True)
