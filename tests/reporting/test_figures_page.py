"""The figure of docs/extending.md is found by its folder, and draws."""

import re
import sys

from support import ROOT

from bench.reporting import figures

PAGE = ROOT / "docs/extending.md"


def test_the_figure_of_the_page_is_found_and_drawn(made, tmp_path, monkeypatch, svg_only):
    name = "bench/reporting/figures/diverged.py"
    content = re.search(rf"`{name}`:\n\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    (tmp_path / "diverged.py").write_text(content)
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    made.seeds("wgan", [1.0, 2.0, None])
    made.seeds("ns_gan", [1.0, 2.0, 3.0])
    section = figures.SectionData(made.comparisons()[0].main, {})
    *_, spec = figures.list_figures()
    monkeypatch.delitem(sys.modules, "bench.reporting.figures.diverged")
    figure = spec.make(section)
    assert figure is not None and figure.title == "Diverged runs"
    assert figure.drawing.svg.decode().count("wgan") and "not finite" in figure.caption
