"""Place axes and labels in inches that are known beforehand: no layout has to be searched for."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Margins(NamedTuple):
    """Space around all panels of a figure, in inches."""

    left: float
    right: float
    top: float
    bottom: float


FIGURE_WIDTH = 7.0  # inches
MISSING = "\u2014."  # as wide as a letter that our font lacks: a box here, or a browser's letter


def figure_width(margins: Margins, inside: float) -> float:
    """Return the inches of a figure's width; more than usual where names leave less than inside."""
    return max(FIGURE_WIDTH, margins.left + margins.right + inside)


def text_width(texts: Iterable[str], size: float = 8.0) -> float:
    """Return the inches that the widest of the texts takes in our font, of a size in points."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    font.set_size(size, 72)
    widest = 0.0
    for line in (line for text in texts for line in text.split("\n")):
        font.set_text("".join(c if font.get_char_index(ord(c)) else MISSING for c in line))
        widest = max(widest, font.get_width_height()[0] / 64 / 72)
    return widest


def add_panels(
    fig: Any,
    count: int,
    columns: int,
    margins: Margins,
    gaps: tuple[float, float] = (0.15, 0.35),
    *,
    shared: bool = True,
) -> list[Any]:
    """Add axes of one size to a figure, row by row.

    Args:
        gaps: between columns and between rows, in inches.
        shared: all share the x and y axis of the first; then only the outer ones show tick labels.
    """
    width, height = fig.get_size_inches()
    rows = -(-count // columns)
    panel_width = (width - margins.left - margins.right - (columns - 1) * gaps[0]) / columns
    panel_height = (height - margins.top - margins.bottom - (rows - 1) * gaps[1]) / rows
    panels: list[Any] = []
    for index in range(count):
        row, column = divmod(index, columns)
        left = margins.left + column * (panel_width + gaps[0])
        bottom = height - margins.top - panel_height - row * (panel_height + gaps[1])
        box = (left / width, bottom / height, panel_width / width, panel_height / height)
        first = panels[0] if panels and shared else None
        axes = fig.add_axes(box, sharex=first, sharey=first)
        if shared:
            axes.tick_params(labelleft=column == 0, labelbottom=index + columns >= count)
        panels.append(axes)
    return panels
