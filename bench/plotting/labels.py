"""Add text to a figure: names of rows and panels, labels at line ends, headings, legends."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.plotting.style import INK, MUTED, RULE, wrap_name

HEADING = 0.21  # inches that a figure's heading takes
LINE = 0.135  # inches between two lines of text at 8 points
ROW_CHARACTERS = 40  # of a line beside a row


def move_apart(positions: Sequence[float], gap: float) -> list[float]:
    """Move positions at least a gap apart, in their order and by the least sum of squares.

    Labels at 0, 0 and 0 with a gap of 1 stand at -1, 0 and 1.
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    blocks: list[list[float]] = []  # sum of (position - index gap), and how many
    for index, i in enumerate(order):
        blocks.append([positions[i] - index * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    means = [total / count for total, count in blocks for _ in range(int(count))]
    moved = [0.0] * len(positions)
    for index, i in enumerate(order):
        moved[i] = means[index] + index * gap
    return moved


def _move_inside(positions: Sequence[float], gap: float, height: float) -> list[float]:
    """Move positions that are a gap apart into [0, height], still a gap apart if there is room."""
    moved, last = [0.0] * len(positions), len(positions) - 1
    for rank, i in enumerate(sorted(range(len(positions)), key=lambda i: positions[i])):
        moved[i] = max(min(positions[i], height - (last - rank) * gap), rank * gap)
    return moved


def label_line_ends(
    axes: Any, ends: Sequence[tuple[float, str, str]], gap: float = 0.145, offset: float = 0.1
) -> None:
    """Write names beside the right ends of lines without overlap, each joined to its end.

    Args:
        ends: y in data coordinates, text and colour of each line.
        gap: between two names, in inches.
        offset: from the axes to the names, in inches.
    """
    box, inches = axes.get_position(), axes.figure.get_size_inches()
    width, height = box.width * inches[0], box.height * inches[1]
    to_axes = axes.transData + axes.transAxes.inverted()
    x_end = axes.get_xlim()[1]
    ends_y = [float(to_axes.transform((x_end, y))[1]) * height for y, _, _ in ends]
    ends_y = [min(max(y, 0.0), height) for y in ends_y]
    labels_y = _move_inside(move_apart(ends_y, gap), gap, height)
    for (_, text, colour), y, label_y in zip(ends, ends_y, labels_y, strict=True):
        axes.plot([1.0, 1 + offset / width], [y / height, label_y / height], color=colour,
                  linewidth=0.6, clip_on=False, transform=axes.transAxes)  # fmt: skip
        axes.text(1 + (offset + 0.03) / width, label_y / height, text, color=INK, fontsize=8,
                  va="center_baseline", transform=axes.transAxes)  # fmt: skip


def wrap_rows(names: Iterable[str]) -> list[str]:
    """Break long names of rows into lines, as `label_rows` and `row_height` take them."""
    return [wrap_name(name, ROW_CHARACTERS) for name in names]


def row_height(names: Iterable[str], least: float) -> float:
    """Return the inches of a row that holds the longest of the wrapped names, and at least some."""
    lines = max((name.count("\n") + 1 for name in names), default=1)
    return max(least, LINE * lines + 0.06) if lines > 1 else least


def label_rows(axes: Any, names: Sequence[str], *, rules: bool = True) -> None:
    """Write a name at the left of each row, the first on top, with a thin rule or without."""
    from matplotlib.ticker import FixedFormatter, FixedLocator

    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.yaxis.set_major_formatter(FixedFormatter(list(names)))
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    for y in range(len(names) if rules else 0):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)


def annotate_row(axes: Any, y: int, text: str, *, colour: str = MUTED, size: float = 7.0) -> None:
    """Write text at the right of a row."""
    axes.annotate(text, (1, y), xycoords=("axes fraction", "data"), xytext=(9, 0), color=colour,
                  textcoords="offset points", fontsize=size, va="center_baseline")  # fmt: skip


def count_title_lines(names: Iterable[str], columns: int) -> int:
    """Return how many lines the longest name takes above one of `columns` panels."""
    return max(wrap_name(name, max_characters(columns)).count("\n") + 1 for name in names)


def set_panel_title(axes: Any, name: str, columns: int) -> None:
    """Write a method's name above its panel, one of `columns` side by side."""
    axes.set_title(wrap_name(name, max_characters(columns)), linespacing=1.05)


def max_characters(columns: int) -> int:
    """Return how many characters of our font at 8 points fit above one of `columns` panels."""
    return int(85 / max(columns, 2))


def add_note(axes: Any, x: float, y: float, text: str, *, colour: str = MUTED, **style: Any) -> Any:
    """Write small text at x and y, both fractions of the axes."""
    return axes.text(x, y, text, transform=axes.transAxes, color=colour, fontsize=7, **style)


def add_heading(fig: Any, text: str) -> None:
    """Write what all panels show at the top left of a figure."""
    width, height = fig.get_size_inches()
    fig.text(0.06 / width, 1 - 0.06 / height, text, color=MUTED, fontsize=8, va="top")


def add_legend(
    parent: Any, marks: Sequence[tuple[Any, str]], columns: int = 6, below: float = HEADING
) -> None:
    """Add a legend of artists and names above axes, or so many inches below the top of a figure."""
    if hasattr(parent, "xaxis"):
        corner, anchor = "lower left", (-0.01, 1.0)
    else:
        corner, anchor = "upper left", (0.0, 1 - below / parent.get_size_inches()[1])
    artists, names = [mark for mark, _ in marks], [name for _, name in marks]
    parent.legend(artists, names, loc=corner, bbox_to_anchor=anchor, ncols=columns, frameon=False,
                  fontsize=7, labelcolor=MUTED, borderpad=0.2, handletextpad=0.4,
                  columnspacing=1.2, handlelength=1.2)  # fmt: skip
