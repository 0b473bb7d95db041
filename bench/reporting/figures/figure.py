"""Define what a figure of a report is, and what it is drawn from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bench.plotting.style import Drawing, MethodStyle
from bench.reporting.analysis.chart_descriptions import BudgetChart, describe_budget
from bench.reporting.tables.search import Search
from bench.reporting.tables.summary import Table

KINDS = SEEDS, SEARCH, UNSCORED_SEARCH = "seeds", "search", "unscored search"  # of sections
COLUMNS, WHITE = 8, 255  # of a run's grid of images, and the lines between them
SHOWN_WIDTH = 300  # pixels up to which the page shows the whole width of a picture


class Sample(NamedTuple):
    """A picture of one run's samples.

    Args:
        name: the method, or "real images".
        kind: which of its runs: "best", "median", "worst"; empty for real images.
        score: of the run shown, as text; why there is no picture where there is none.
        run_id: of the run shown; empty for none.
        png: the picture's file, or None.
        pixels: of the picture, [H, W, 3], or None.
    """

    name: str
    kind: str
    score: str
    run_id: str
    png: bytes | None
    pixels: np.ndarray | None

    @property
    def is_grid(self) -> bool:
        """Return whether the picture is a grid of images, and no plot.

        It is square, or has a row for each class: then white lines divide its columns.
        """
        if self.pixels is None:
            return False
        height, width = self.pixels.shape[:2]
        tile, rest = divmod(width, COLUMNS)
        lined = not rest and tile > 0 and bool((self.pixels[:, ::tile] == WHITE).all())
        return height == width or lined

    @property
    def shown(self) -> tuple[int, int, int]:
        """Return the width of a grid on the page, and width and height of its part in view.

        It shows a part, at a whole number of screen pixels for each of the picture's own; the
        dialog of the run shows all of it. Where rows are classes, the part has all of a dozen.
        """
        assert self.pixels is not None, "there is no picture"
        height, width = self.pixels.shape[:2]
        factor = max(1, SHOWN_WIDTH // width)
        side = width * factor
        part = side // 2 if height == width else min(height * factor, 12 * side // COLUMNS)
        return side, side if side <= SHOWN_WIDTH else side // 2, part


def group_samples(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return method -> its samples, in their order."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.name, []).append(sample)
    return groups


@dataclass(frozen=True)
class Figure:
    """A figure of one section, made by its `FigureSpec`; with `chart` the page draws it live."""

    title: str
    caption: str
    drawing: Drawing
    narrow: Drawing | None = None
    samples: tuple[Sample, ...] = ()
    chart: BudgetChart | None = field(default=None, compare=False)  # arrays: drawings compare
    folds: bool = False

    @property
    def strips(self) -> dict[str, list[Sample]]:
        """Return method -> its samples."""
        return group_samples(self.samples)


@dataclass(frozen=True)
class SectionData:
    """Hold what a section's figures are drawn from; what several of them need is computed once.

    Args:
        styles: method -> colour and marker.
        shown_search: the search of which the table is; None where methods differ by seed only.
        source_search: the search that chose the configurations of the table; None for none.
    """

    table: Table
    styles: Mapping[str, MethodStyle]
    shown_search: Search | None = None
    source_search: Search | None = None

    @property
    def kind(self) -> str:
        """Return SEEDS or SEARCH, or UNSCORED_SEARCH where no configuration has a score."""
        if self.shown_search is None:
            return SEEDS
        configs = (c for variant in self.shown_search.variants for c in variant.configs)
        return SEARCH if any(c.score is not None for c in configs) else UNSCORED_SEARCH

    @property
    def search(self) -> Search:
        """Return the search that the section shows."""
        assert self.shown_search is not None, "a figure of searches is drawn of seeds"
        return self.shown_search

    @cached_property
    def budget_chart(self) -> BudgetChart:
        """Return the description of the budget curves of the section's search."""
        return describe_budget(self.search, self.styles)


@dataclass(frozen=True)
class FigureSpec:
    """Describe a figure to the report; each module of this folder defines one as FIGURE.

    Args:
        title: heading above the drawing; empty for the first figure of a section.
        sections: kinds of sections that have this figure, of KINDS.
        draw: the drawing; None where the section's data have nothing to show.
        caption: text below: what is drawn, by which rule, what must not be read into it.
        place: in the section's order, the lowest first.
        draw_narrow: drawing for a telephone, on the page only; None for no such version.
        list_samples: the single pictures of a sheet, which the page shows instead.
        describe: description of the chart that the page draws instead; None for no such chart.
        folds: the page shows it on demand, in a table of many scores.
    """

    title: str
    sections: tuple[str, ...]
    draw: Callable[[SectionData], Drawing | None]
    caption: Callable[[SectionData], str]
    place: int
    draw_narrow: Callable[[SectionData], Drawing | None] = lambda _: None
    list_samples: Callable[[SectionData], tuple[Sample, ...]] = lambda _: ()
    describe: Callable[[SectionData], BudgetChart | None] = lambda _: None
    folds: bool = False

    def make(self, section: SectionData) -> Figure | None:
        """Draw the figure of a section; None where there is nothing to show."""
        drawing = self.draw(section)
        if drawing is None:
            return None
        narrow, samples = self.draw_narrow(section), self.list_samples(section)
        caption, chart = self.caption(section), self.describe(section)
        return Figure(self.title, caption, drawing, narrow, samples, chart, self.folds)
