"""Make one index page over several reports: a folder of static files that opens from disk.

What an entry says is read from the report's own report.md, so that each report that the suite ever
wrote can stand in it. The reports' text is escaped and their figures are images: nothing that a
stranger's report holds runs in the index page.
"""

import html
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import SUMS, read_sums, read_text
from bench.core.text import distinct_file_names, encode
from bench.reporting.output.pages import render_page

PAGE, TEXT = "index.html", "report.md"
HEAD_LENGTH = 2**16  # characters of a report, in which all that the index page shows stands
FIGURE = re.compile(r"^!\[(?P<alt>.*)\]\((?P<path>[^()\s]+\.(?:svg|png))\)$", re.MULTILINE)
COUNTS = re.compile(r"^[\d,]+ planned runs?: [^.\n]+", re.MULTILINE)
MARKS = re.compile(r"\*\*|`|\[(?P<text>[^]]*)\]\([^)]*\)|\\(?P<escaped>[!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class SiteEntry:
    """A report as the index page shows it.

    Args:
        name: its folder below the index page.
        title, headline: its heading and first sentence.
        warning: what stands above them in the report; empty for most.
        counts: "20 planned runs: 20 finished"; empty for a report that is not of runs.
        figure, alt: path of its main figure below the index page, and text for it; empty without.
        date: "2026-11-30", on which it was written.
    """

    name: str
    title: str
    headline: str
    warning: str
    counts: str
    figure: str
    alt: str
    date: str


def find_reports(folders: Sequence[Path]) -> list[Path]:
    """Return the reports among folders and the folders in them, by name.

    Raises:
        UserError: there is none in one of them.
    """
    reports: dict[Path, None] = {}
    for folder in folders:
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        found = [path for path in (folder, *inside) if (path / PAGE).is_file()]
        found = [path for path in found if (path / TEXT).is_file()]
        if not found:
            message = f"{folder} is no report, and no folder of reports: none has {PAGE} and {TEXT}"
            raise UserError(message, fix="write a report first: `bench report STUDY`")
        reports |= dict.fromkeys(found)
    return list(reports)


def build_site(dates: dict[Path, str]) -> dict[str, bytes]:
    """Return the files of the site: name -> content, the index page last.

    Args:
        dates: report -> date on which it was written.

    Raises:
        UserError: two reports have one name; a file cannot be read.
    """
    names = _name_folders(list(dates))
    files: dict[str, bytes] = {}
    entries = []
    for folder, date in dates.items():
        name = names[folder]
        entries.append(read_entry(folder, name, date))
        files |= {f"{name}/{path}": (folder / path).read_bytes() for path in _list_files(folder)}
    page = render_page("site.html.j2", {"entries": entries})
    return files | {PAGE: encode(page)}


def _name_folders(reports: Sequence[Path]) -> dict[Path, str]:
    """Return report -> its folder in the site: "quick", where two would be equal "mine-quick"."""
    paths = {report: report.resolve() for report in reports}
    counts = Counter(path.name for path in paths.values())
    labels = {
        report: path.name if counts[path.name] == 1 else f"{path.parent.name}-{path.name}"
        for report, path in paths.items()
    }
    names = distinct_file_names(labels.values())
    if len(names) < len(labels):
        (name, _), *_ = Counter(labels.values()).most_common(1)
        raise UserError(f"two reports are called {name}", fix="rename the folder of one of them")
    return {report: names[label] for report, label in labels.items()}


def read_entry(folder: Path, name: str, date: str) -> SiteEntry:
    """Read from a report what the index page says of it."""
    text = read_text(folder / TEXT)[:HEAD_LENGTH]
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text)]
    title = next((block[2:] for block in blocks if block.startswith("# ")), name)
    quotes = [block for block in blocks[:3] if block.startswith(">")]
    paragraphs = (block for block in blocks if block and block[0] not in "#>!|<")
    figure, counts = FIGURE.search(text), COUNTS.search(text)
    path = figure["path"] if figure is not None else ""
    shown = path in _list_files(folder)
    return SiteEntry(
        name=name,
        title=_as_text(title),
        headline=_first_sentence(_as_text(next(paragraphs, ""))),
        warning=_as_text(re.sub(r"(?m)^> ?", "", quotes[0])) if quotes else "",
        counts=counts[0] if counts is not None else "",
        figure=f"{name}/{path}" if shown else "",
        alt=_as_text(figure["alt"]) if figure is not None and shown else "",
        date=date,
    )


def _list_files(folder: Path) -> list[str]:
    """List the files that the report wrote: those in SHA256SUMS that lie in its folder."""
    root, listed = folder.resolve(), {PAGE, TEXT, *read_sums(folder / SUMS)}
    paths = {name: (folder / name).resolve() for name in sorted(listed)}
    return [n for n, path in paths.items() if path.is_file() and path.is_relative_to(root)]


def _as_text(markdown: str) -> str:
    """Return Markdown of one paragraph as text, without marks and escapes."""

    def plain(match: re.Match[str]) -> str:
        return match["text"] or match["escaped"] or ""

    return html.unescape(" ".join(MARKS.sub(plain, markdown).split()))


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text, maxsplit=1)[0]
