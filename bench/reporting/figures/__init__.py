"""Draw the figures of a report: one module each, found by listing this folder."""

import importlib
import pkgutil

from bench.plotting.style import pdf_files
from bench.reporting.figures.figure import Figure, FigureSpec, SectionData

__all__ = ["Figure", "FigureSpec", "SectionData", "draw_figures", "list_figures"]


def list_figures() -> list[FigureSpec]:
    """Return what the modules of this folder define as FIGURE, by place."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    specs = [module.FIGURE for module in modules if hasattr(module, "FIGURE")]
    return sorted(specs, key=lambda spec: spec.place)


def draw_figures(section: SectionData, *, pdf: bool = False) -> tuple[Figure, ...]:
    """Draw the figures that apply to a section and have something to show, the main one first.

    Args:
        pdf: make a PDF of each too.
    """
    with pdf_files(wanted=pdf):
        figures = [spec.make(section) for spec in list_figures() if section.kind in spec.sections]
    return tuple(figure for figure in figures if figure is not None)
