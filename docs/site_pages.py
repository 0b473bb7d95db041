"""Write the pages of the site that are made: the course, the API, the top folder's files.

They lie in docs/course, docs/api and docs/project, which git ignores; docs/conf.py calls this.
"""

import importlib
import os
import pkgutil
import re
from pathlib import Path

import yaml

from bench.core.files import write_text
from bench.theory.catalogue import experiments_by_id

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")  # pages of the top folder
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?!\w+:)[^)#\s]+)(#[^)\s]*)?\)")


def write_pages(docs: Path) -> None:
    """Write all pages that are made; a page whose text has not changed keeps its time."""
    pages = {**course_pages(), **api_pages()}
    for name in PROJECT:
        pages[f"project/{name.lower()}"] = LINK.sub(r"[\1](../../\2\3)", (ROOT / name).read_text())
    for name, text in pages.items():
        path = docs / name
        if not path.exists() or path.read_text() != text:
            write_text(path, text)
    for folder in ("course", "api", "project"):
        for path in (docs / folder).iterdir():
            if f"{folder}/{path.name}" not in pages:
                path.unlink()


def course_pages() -> dict[str, str]:
    """Return the statements in order, a page a chapter, as results/claims/report.md has them."""
    course = yaml.safe_load((ROOT / "docs/course.yaml").read_text())
    report = (ROOT / "results/claims/report.md").read_text()
    section = r'<a id="(t\d+)"></a>\n(## .*?)(?=\n<a id=|\n## )'
    sections = dict(re.findall(section, report, re.DOTALL))
    banner = "".join(f"{line}\n\n" for line in re.findall(r"(?m)^> \*\*.*version.*$", report)[:1])
    chapters = {chapter["first"]: chapter for chapter in course["chapters"]}
    pages: dict[str, str] = {}
    for name in experiments_by_id():
        if chapter := chapters.get(name):
            page = f"course/{len(pages) + 1}.md"
            pages[page] = f"# {chapter['title']}\n\n{chapter['text']}\n\n{banner}"
        text = sections[name.lower()].replace("](figures/", "](../../results/claims/figures/")
        pages[page] += f"({name.lower()})=\n{text}\n"
    listed = "\n".join(Path(page).stem for page in pages)
    tree = f"```{{toctree}}\n:maxdepth: 2\n\n{listed}\n```\n"
    return {**pages, "course/index.md": f"{course['introduction']}\n{banner}{tree}"}


ROOMS = ("losses", "penalties", "metrics", "divergences", "stats")  # pure functions
ROOMS += ("core", "networks", "models", "data", "features", "scoring")  # what own parts meet


def api_pages() -> dict[str, str]:
    """Return a page for each room of the package, with a section a module, and their index."""
    pages = {}
    for room in ROOMS:
        package = importlib.import_module(f"bench.{room}")
        found = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
        names = [name for name in found if not name.startswith("_")]
        pages[f"api/{room}.rst"] = "\n\n".join(
            [_head(f"bench.{room}", "="), f".. automodule:: bench.{room}\n   :no-members:"]
            + [f"{_head(name, '-')}\n\n.. automodule:: bench.{room}.{name}" for name in names]
        )
    listed = "\n".join(f"   {room}" for room in ROOMS)
    pages["api/index.rst"] = f"{_head('API', '=')}\n\n{API}\n\n.. toctree::\n\n{listed}\n"
    return pages


API = (
    "From the docstrings. Losses, penalties, metrics, divergences and statistics are pure "
    "functions: tensors or arrays in, tensors or numbers out. The other rooms hold what parts of "
    "your own meet (:doc:`../extending`)."
)


def _head(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}"


def rewrite_links(text: str, path: Path, docname: str) -> str:
    """Lead links to files of the repository to the pages that the site has of them.

    Args:
        text: Markdown of a page.
        path: where it lies.
        docname: its name in the site, such as `course/1`.
    """
    docs = ROOT / "docs"
    pages = {ROOT / name: docs / "project" / name.lower() for name in PROJECT}
    pages[ROOT / "README.md"] = docs / "index.md"
    here = (docs / docname).parent

    def lead(match: re.Match[str]) -> str:
        label, link, anchor = match[1], match[2], match[3] or ""
        target = (path.parent / link).resolve()
        if target.is_relative_to(ROOT / "results"):
            report = target if target.is_dir() else target.parent
            if not (report / "index.html").exists():
                return label
            found = ROOT / "docs" / report.relative_to(ROOT) / "index.html"
            return f"[{label}](site:{os.path.relpath(found, here)})"
        target = pages.get(target, target)
        if not target.is_relative_to(docs):
            return f"`{target.relative_to(ROOT)}`" if label == link else label
        return f"[{label}]({os.path.relpath(target, here)}{anchor})"

    return LINK.sub(lead, text)
