"""Places of axes and labels in inches, known beforehand: no layout has to be searched for."""

from collections.abc import Iterable
from typing import Any, NamedTuple

HEADING = 0.21  # inches that a figure's heading takes


class Margins(NamedTuple):
    """Around all panels, in inches."""

    left: float
    right: float
    top: float
    bottom: float


def width_of(texts: Iterable[str], size: float = 8.0) -> float:
    """Inches that the widest of the texts takes in our font."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    font.set_size(size, 72)
    widest = 0.0
    for text in texts:
        for line in text.split("\n"):
            font.set_text(line)
            widest = max(widest, font.get_width_height()[0] / 64 / 72)
    return widest


def panels(
    shape: Any,
    count: int,
    columns: int,
    margins: Margins,
    gaps: tuple[float, float] = (0.15, 0.35),
    *,
    shared: bool = True,
) -> list[Any]:
    """So many axes, row by row, of one size.

    Args:
        gaps: between columns and between rows, in inches.
        shared: all have the axes of the first; then only the outer ones show tick labels.
    """
    width, height = shape.get_size_inches()
    rows = -(-count // columns)
    wide = (width - margins.left - margins.right - (columns - 1) * gaps[0]) / columns
    high = (height - margins.top - margins.bottom - (rows - 1) * gaps[1]) / rows
    found: list[Any] = []
    for index in range(count):
        row, column = divmod(index, columns)
        left = margins.left + column * (wide + gaps[0])
        bottom = height - margins.top - high - row * (high + gaps[1])
        first = found[0] if found and shared else None
        axes = shape.add_axes(
            (left / width, bottom / height, wide / width, high / height), sharex=first, sharey=first
        )
        if shared:
            outer = index + columns >= count
            axes.tick_params(labelleft=column == 0, labelbottom=outer)
        found.append(axes)
    return found
