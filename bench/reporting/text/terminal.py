"""Make text and cells for a terminal: names in them are no markup and no escape sequences."""

from rich.text import Text

from bench.core.text import printable, shorten

CELL_LENGTH = 80  # characters of a name in a table


def plain(text: str, style: str = "") -> Text:
    """Return text of several lines, whose other control characters are escapes."""
    return Text("\n".join(map(printable, text.split("\n"))), style)


def cell(text: str) -> Text:
    """Return the text of a table's cell, cut where it is long."""
    return Text(shorten(printable(text), CELL_LENGTH))
