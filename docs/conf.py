"""Configure the documentation site: `make docs` builds it into docs/_build.

The pages are those of docs/, and three sets that `site_pages.py` writes first: the 25 statements
as a course, the API from docstrings, and the files of the repository's top folder.
"""

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import site_pages  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import bench  # noqa: E402
import bench.models  # noqa: E402  torchvision's operators are declared before Lightning comes

project = "Created Equal"
author = project_copyright = "The Created Equal authors"
release = version = bench.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "**/README.txt"]
html_theme = "furo"
html_title = f"{project} {release}"
html_show_copyright = html_show_sourcelink = html_copy_source = False
templates_path: list[str] = []
highlight_language = "sh"
suppress_warnings = ["misc.highlighting_failure"]  # blocks that are pictures, no commands
pygments_style = "tango"
pygments_dark_style = "monokai"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
myst_url_schemes = {"http": None, "https": None, "site": "{{path}}"}

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Deviation"]


def escape_docstring(app, what, name, obj, options, lines: list[str]) -> None:
    """Make the plain text of a docstring reStructuredText, in place.

    A block that is indented more than the paragraph before it is shown as it stands, and |x| * y_
    elsewhere is no markup.
    """
    made: list[str] = []
    outer = block = (
        0  # indentation of the paragraph before; of the block that is shown as it stands
    )
    for place, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if line and (not block or indent < block):
            block = 0
            if place and not lines[place - 1] and indent > outer:
                block = indent
                made += [f"{' ' * outer}::", ""]
            outer = indent if not block else outer
        made.append(line if block else escape_line(line))
    lines[:] = made


def escape_line(line: str) -> str:
    """Return a line of plain text, with `code`, as reStructuredText."""
    parts = re.split(r"`([^`]+)`", line)
    parts[::2] = [re.sub(r"([\\*|]|_(?=\W|$))", r"\\\1", text) for text in parts[::2]]
    parts[1::2] = [f"``{code}``" for code in parts[1::2]]
    return "".join(parts)


def skip_member(app, what, name, obj, skip: bool, options) -> bool | None:
    """Leave out the fields of named tuples, which their class describes."""
    return True if (getattr(obj, "__doc__", "") or "").startswith("Alias for field") else None


def rewrite_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links between files of the repository to their pages of the site."""
    path = Path(app.env.doc2path(docname))
    if path.suffix == ".md":
        source[0] = site_pages.rewrite_links(source[0], path, docname)
    if docname == "variants/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"


def copy_reports(app: Sphinx, error: Exception | None) -> None:
    """Copy the committed reports, which are pages of their own, into the site."""
    if error is None and app.builder.format == "html":
        for page in HERE.parent.glob("results/*/index.html"):
            to = Path(app.outdir) / "results" / page.parent.name
            ignored = shutil.ignore_patterns("evidence", "*.parquet", "*.npz")
            shutil.copytree(page.parent, to, ignore=ignored, dirs_exist_ok=True)


def setup(app: Sphinx) -> None:
    """Write the pages that are made, and connect what changes the others as they are read."""
    site_pages.write_pages(HERE)
    app.connect("autodoc-process-docstring", escape_docstring, priority=400)
    app.connect("autodoc-skip-member", skip_member)
    app.connect("source-read", rewrite_links)
    app.connect("build-finished", copy_reports)
