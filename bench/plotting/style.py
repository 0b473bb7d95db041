"""Style all figures alike, and render the same bytes from the same numbers."""

import io
import re
import textwrap
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from bench.core.text import FILE_NAME_LENGTH, columns, file_name

PAPER, INK, MUTED, RULE = "#fbfaf7", "#22252a", "#72767d", "#d9d6cf"
ACCENT, SECOND = "#a63d17", "#2f6690"
# Hues of methods, after Okabe and Ito and after Tol, darkened until each has a contrast of 3 on
# PAPER. Not all readers can tell twelve colours apart: each has a marker and a label as well.
HUES = (
    *("#0072b2", "#c44e00", "#332288", "#b07d00", "#00936b", "#882255"),
    *("#3f97cf", "#6b4423", "#b0578d", "#117733", "#77777d", "#8f8f2a"),
)
MARKERS = "osD^vPX<>phd"
# CSS variables that the page's stylesheet defines for light and dark.
VARIABLES = {
    PAPER: "var(--paper)",
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    ACCENT: "var(--accent)",
    SECOND: "var(--second)",
    **{hue: f"var(--hue-{place})" for place, hue in enumerate(HUES, 1)},
}
DPI = 200
MAX_PIXELS = 65_000  # of a side of a PNG; the renderer takes less than 65,536
TITLE_CHARACTERS = 22  # of a line above a panel
SETTINGS: Any = {
    "svg.hashsalt": "created-equal",
    "pdf.fonttype": 42,  # embedded as a font, so that text stays text in a PDF too
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and restyled
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.labelsize": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "axes.formatter.useoffset": False,
    "path.simplify": False,
    "text.parse_math": False,  # a dollar in a name is a dollar
}


class MethodStyle(NamedTuple):
    """Colour and marker of a method in all figures of a report."""

    colour: str
    marker: str


def assign_styles(names: Iterable[str]) -> dict[str, MethodStyle]:
    """Return name -> style, by the order in which names first appear."""
    return {
        name: MethodStyle(HUES[index % len(HUES)], MARKERS[index % len(MARKERS)])
        for index, name in enumerate(dict.fromkeys(names))
    }


class Drawing(NamedTuple):
    """A rendered figure, as its files hold it.

    Args:
        name: of the files, without suffix.
        alt: alternative text, for readers who cannot see the figure.
        png: empty for a drawing that is only inlined in the page.
        pdf: empty unless `pdf_files` asked for it.
    """

    name: str
    alt: str
    svg: bytes
    png: bytes = b""
    pdf: bytes = b""

    @property
    def files(self) -> dict[str, bytes]:
        """Return suffix -> content; empty for a drawing that is only inlined in the page."""
        kinds = {"svg": self.svg, "png": self.png, "pdf": self.pdf}
        return {kind: content for kind, content in kinds.items() if content} if self.png else {}


_pdf_wanted = ContextVar("pdf_wanted", default=False)


@contextmanager
def pdf_files(*, wanted: bool) -> Iterator[None]:
    """Let `render` make a PDF of each figure too, which takes half as long again as the others."""
    token = _pdf_wanted.set(wanted)
    try:
        yield
    finally:
        _pdf_wanted.reset(token)


@contextmanager
def figure(width: float, height: float, *, placed: bool = False) -> Iterator[Any]:
    """Open an empty matplotlib figure under our settings.

    Args:
        width, height: in inches.
        placed: its axes come from `layout.add_panels`; else matplotlib lays them out, which for
            many panels takes longer than to draw them.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's matplotlibrc must not change the bytes
        matplotlib.rcParams.update(SETTINGS)
        with without_glyph_warnings():
            yield Figure(figsize=(width, height), layout=None if placed else "constrained")


@contextmanager
def without_glyph_warnings() -> Iterator[None]:
    """Let letters that our font lacks be boxes; an SVG has them as text, for the reader's fonts."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def wrap_name(name: str, max_characters: int = TITLE_CHARACTERS) -> str:
    """Break a long name into lines, after a space, a comma or an underscore where possible."""
    lines, name = [""], unicodedata.normalize("NFC", name)
    name = "".join(c if columns(c) == 1 else f"{c}\0" for c in name)  # a wide letter counts as two
    for part in re.findall(r"[^ ,_]*[ ,_]+|[^ ,_]+", name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > max_characters:
            lines.append("")
        lines[-1] += part
    text = "\n".join(textwrap.fill(line.rstrip(), max_characters) for line in lines)
    return text.replace("\0", "")


def render(fig: Any, name: str, alt: str, *, inline_only: bool = False) -> Drawing:
    """Render a figure as a `Drawing` without dates and versions; call it inside `figure`.

    Args:
        inline_only: render only the SVG, to be inlined in the page.
    """
    name = file_name(name, FILE_NAME_LENGTH + 50)
    svg, png, pdf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    undated = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    fig.savefig(svg, format="svg", dpi=DPI, metadata=undated)
    if inline_only:
        return Drawing(name, alt, _round_coordinates(svg.getvalue()))
    fig.set_layout_engine("none")  # already laid out; to do it again takes half the time
    dpi = min(DPI, MAX_PIXELS / max(fig.get_size_inches()))
    fig.savefig(png, format="png", dpi=dpi, metadata={"Software": None})
    if _pdf_wanted.get():
        undated = dict.fromkeys(("CreationDate", "Creator", "Producer"))
        fig.savefig(pdf, format="pdf", dpi=DPI, metadata=undated)
    return Drawing(name, alt, _round_coordinates(svg.getvalue()), png.getvalue(), pdf.getvalue())


def _round_coordinates(svg: bytes) -> bytes:
    """Cut coordinates to a hundredth of a point; matplotlib writes a millionth."""
    decimals = re.compile(rb"(?<=\.\d\d)\d+")
    return re.sub(rb' (d|x|y)="[^"]*"', lambda match: decimals.sub(b"", match[0]), svg)


def inline_svg(drawing: Drawing) -> str:
    """Return the SVG for a page: with the colours and font of its stylesheet, and unique ids."""
    text = drawing.svg.decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    head, _, body = text.replace("\n", " ").partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)  # the page says how large; viewBox stays
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{drawing.name}-", f"{head}>{body}")
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    return re.sub(r"'DejaVu Sans'(, [^;\"]*)?", "var(--sans)", text)
