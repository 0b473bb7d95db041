"""Words in a figure: names of rows, of panels and at the ends of lines, headings and keys."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.plotting.style import INK, MUTED, RULE, wrapped

HEADING = 0.21  # inches that a figure's heading takes


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Places at least a gap apart, in their order, moved as little as squares allow.

    Labels at 0, 0 and 0 with a gap of 1 stand at -1, 0 and 1.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    blocks: list[list[float]] = []  # sum of (place - index gap), and how many
    for index, i in enumerate(order):
        blocks.append([places[i] - index * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    means = [total / count for total, count in blocks for _ in range(int(count))]
    found = [0.0] * len(places)
    for index, i in enumerate(order):
        found[i] = means[index] + index * gap
    return found


def label_ends(
    axes: Any, ends: Sequence[tuple[float, str, str]], gap: float = 0.145, offset: float = 0.1
) -> None:
    """Names beside the ends of lines at the right, none on another, each with a thread to its end.

    Args:
        ends: y in data, text and colour.
        gap: between two names, in inches.
        offset: of the names from the axes, in inches.
    """
    box, inches = axes.get_position(), axes.figure.get_size_inches()
    wide, high = box.width * inches[0], box.height * inches[1]
    to_axes = axes.transData + axes.transAxes.inverted()
    x_end = axes.get_xlim()[1]
    heights = [float(to_axes.transform((x_end, y))[1]) * high for y, _, _ in ends]
    placed = [min(max(y, 0.0), high) for y in heights]
    for (_, text, colour), y, at in zip(ends, placed, apart(placed, gap), strict=True):
        axes.plot(
            [1.0, 1 + offset / wide],
            [y / high, at / high],
            transform=axes.transAxes,
            color=colour,
            linewidth=0.6,
            clip_on=False,
        )
        axes.text(
            1 + (offset + 0.03) / wide,
            at / high,
            text,
            transform=axes.transAxes,
            color=INK,
            fontsize=8,
            va="center_baseline",
        )


def name_rows(axes: Any, names: Sequence[str], *, rules: bool = True) -> None:
    """Names at the left, the first one on top, with a rule for each or without."""
    from matplotlib.ticker import FixedFormatter, FixedLocator

    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.yaxis.set_major_formatter(FixedFormatter(list(names)))
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    for y in range(len(names) if rules else 0):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)


def beside_row(axes: Any, y: int, text: str, *, colour: str = MUTED, size: float = 7.0) -> None:
    """Words at the right of a row."""
    axes.annotate(text, (1, y), xycoords=("axes fraction", "data"), xytext=(9, 0), color=colour,
                  textcoords="offset points", fontsize=size, va="center_baseline")  # fmt: skip


def lines_of(names: Iterable[str], columns: int) -> int:
    """Lines that the longest of the names takes above one of so many panels side by side."""
    return max(wrapped(name, letters(columns)).count("\n") + 1 for name in names)


def name_panel(axes: Any, name: str, columns: int) -> None:
    """A contender's name above its panel."""
    axes.set_title(wrapped(name, letters(columns)), linespacing=1.05)


def letters(columns: int) -> int:
    """Of our font at 8 points, in the width of a panel."""
    return int(85 / max(columns, 2))


def note(axes: Any, x: float, y: float, text: str, *, colour: str = MUTED, **kwargs: Any) -> Any:
    """Small words at a place of the axes, in their fractions."""
    return axes.text(x, y, text, transform=axes.transAxes, color=colour, fontsize=7, **kwargs)


def heading(shape: Any, text: str) -> None:
    """What all panels show, at the top left of the figure."""
    width, height = shape.get_size_inches()
    shape.text(0.06 / width, 1 - 0.06 / height, text, color=MUTED, fontsize=8, va="top")


def key(
    parent: Any, marks: Sequence[tuple[Any, str]], columns: int = 6, below: float = HEADING
) -> None:
    """What the marks mean: above axes, or so many inches below the top of a figure."""
    above: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.01, 1.0)}
    if hasattr(parent, "xaxis"):
        placed: dict[str, Any] = above
    else:
        top = 1 - below / parent.get_size_inches()[1]
        placed = {"loc": "upper left", "bbox_to_anchor": (0.0, top)}
    parent.legend(
        [mark for mark, _ in marks],
        [name for _, name in marks],
        ncols=columns,
        frameon=False,
        fontsize=7,
        labelcolor=MUTED,
        borderpad=0.2,
        handletextpad=0.4,
        columnspacing=1.2,
        handlelength=1.2,
        **placed,
    )
