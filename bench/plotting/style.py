"""One look for all figures, and the same bytes from the same numbers."""

import io
import re
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

PAPER, INK, MUTED, RULE = "#fbfaf7", "#22252a", "#72767d", "#d9d6cf"
ACCENT, SECOND = "#a63d17", "#2f6690"
# Hues of contenders, after Okabe and Ito and after Tol, darkened until each has a contrast of 3 on
# PAPER. No twelve colours are apart for all eyes: each has a marker too, and a label beside it.
HUES = (
    *("#0072b2", "#c44e00", "#332288", "#b07d00", "#00936b", "#882255"),
    *("#3f97cf", "#6b4423", "#b0578d", "#117733", "#77777d", "#8f8f2a"),
)
MARKERS = "osD^vPX<>phd"
# The page's stylesheet defines these for light and dark.
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
LABEL = 22  # letters of a line above a panel
SETTINGS: Any = {
    "svg.hashsalt": "created-equal",
    "pdf.fonttype": 42,  # text stays text there too
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


class Look(NamedTuple):
    """Of a contender, in all figures of a report."""

    colour: str
    marker: str


def looks_of(names: Iterable[str]) -> dict[str, Look]:
    """Name -> look, by the order of first appearance."""
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return {n: Look(HUES[p % len(HUES)], MARKERS[p % len(MARKERS)]) for n, p in places.items()}


class Drawing(NamedTuple):
    """A figure as files hold it.

    Args:
        name: of the files, without suffix.
        alt: what it shows, for who cannot see it.
    """

    name: str
    alt: str
    svg: bytes
    png: bytes
    pdf: bytes

    @property
    def files(self) -> dict[str, bytes]:
        """Suffix -> content; empty for a drawing that is for the page alone."""
        kinds = {"svg": self.svg, "png": self.png, "pdf": self.pdf}
        return kinds if self.png else {}


@contextmanager
def figure(width: float, height: float, *, placed: bool = False) -> Iterator[Any]:
    """An empty matplotlib figure of so many inches under our settings.

    Args:
        placed: its axes come from `figures.layout.panels`; else matplotlib finds their places,
            which for many panels takes longer than to draw them.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's matplotlibrc must not change the bytes
        matplotlib.rcParams.update(SETTINGS)
        yield Figure(figsize=(width, height), layout=None if placed else "constrained")


def wrapped(name: str, letters: int = LABEL) -> str:
    """A long name in lines, broken after a space, a comma or an underscore if that can be."""
    lines = [""]
    for part in re.findall(r"[^ ,_]*[ ,_]+|[^ ,_]+", name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > letters:
            lines.append("")
        lines[-1] += part
    return "\n".join(textwrap.fill(line.rstrip(), letters) for line in lines)


def render(shape: Any, name: str, alt: str, *, inline_only: bool = False) -> Drawing:
    """Render a figure, without dates and versions; call it inside `figure`.

    Args:
        inline_only: for the page alone, as SVG.
    """
    svg, png, pdf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    shape.savefig(
        svg, format="svg", dpi=DPI, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    if inline_only:
        return Drawing(name, alt, _short(svg.getvalue()), b"", b"")
    shape.set_layout_engine("none")  # the layout stands; to find it again takes half the time
    shape.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    undated = dict.fromkeys(("CreationDate", "Creator", "Producer"))
    shape.savefig(pdf, format="pdf", dpi=DPI, metadata=undated)
    return Drawing(name, alt, _short(svg.getvalue()), png.getvalue(), pdf.getvalue())


def _short(svg: bytes) -> bytes:
    """Places to a hundredth of a point; matplotlib writes a millionth."""
    kept = re.compile(rb"(\.\d\d)\d+")
    return re.sub(rb' (d|x|y)="[^"]*"', lambda found: kept.sub(rb"\1", found[0]), svg)


def inline(drawing: Drawing) -> str:
    """The SVG for a page: colours and fonts of its stylesheet, ids of its own."""
    text = drawing.svg.decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    head, _, body = text.replace("\n", " ").partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)  # the page says how large; viewBox stays
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{drawing.name}-", f"{head}>{body}")
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    return re.sub(r"'DejaVu Sans'(, [^;\"]*)?", "var(--sans)", text)
