"""Texts that came from files or from a user, made safe to print, to draw and to name files by."""

import hashlib
import io
import itertools
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

LABEL_LENGTH = 128  # W&B's limit for names of runs, groups and reports
UNITS = ((1, "s", 90), (60, "min", 90), (3600, "h", 48))  # seconds, name, up to how many of it
FILE_NAME_LENGTH = 100  # suffixes and the mark of a partial file stay below the usual limit of 255


def printable(text: str) -> str:
    """Return a text with control characters, newlines among them, as escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )


def encode(text: str) -> bytes:
    """Encode a text as UTF-8; lone surrogates, which no encoding has, as escapes."""
    return text.encode("utf-8", "backslashreplace")


def columns(text: str) -> int:
    """Return the columns that a text takes at most: two for a wide letter, Chinese say."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` columns, cut in its middle: "wgan_gp (a...=0.5)"."""
    if columns(text) <= limit:
        return text
    end = max(0, limit - 3) // 3
    head = _take(text, max(0, limit - 3) - end)
    tail = _take(text[::-1], end)[::-1]
    while tail and unicodedata.combining(tail[0]):  # an accent whose letter is cut
        tail = tail[1:]
    return f"{head}...{tail}"


def _take(text: str, limit: int) -> str:
    """Return the longest beginning of a text that takes at most `limit` columns."""
    widths = itertools.accumulate(map(columns, text))
    return text[: sum(1 for _ in itertools.takewhile(lambda width: width <= limit, widths))]


def shorten_names(names: Iterable[str], limit: int) -> dict[str, str]:
    """Return name -> its printable form, cut to `limit`; where a cut makes two equal, with #2."""
    shown: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name in dict.fromkeys(names):
        whole = printable(name)
        text = first = shorten(whole, limit)
        while counts[first] and (counts[text] or text == first):
            counts[first] += 1
            mark = f" #{counts[first]}"
            text = shorten(whole, limit - len(mark)) + mark
        counts[text] += 1
        shown[name] = text
    return shown


def format_duration(seconds: float) -> str:
    """Return "0.4 s", "45 s", "3.2 min", "12 h" or "4.0 days"."""
    fitting = ((size, unit) for size, unit, most in UNITS if seconds < size * most)
    size, unit = next(fitting, (86400, "days"))
    value = seconds / size
    return f"{value:,.{1 if value < 9.95 else 0}f} {unit}"


def file_name(text: str, limit: int = FILE_NAME_LENGTH) -> str:
    """Return a text as a part of a file's name: ASCII, not hidden, at most `limit` characters.

    All but letters, digits, dots, dashes and underscores become underscores; a text that is cut
    ends in eight digits of its hash.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", text)
    safe = re.sub(r"^[.-]|^$", "_", safe)
    return safe if len(safe) <= limit else f"{safe[: limit - 9]}-{_digest(text)}"


def is_file_name(text: str) -> bool:
    """Return whether a text can name one file or folder in the folder that it is looked for in."""
    inside = text == PurePath(text).name and text not in ("", ".", "..")
    return inside and text.isprintable() and len(encode(text)) <= 2 * FILE_NAME_LENGTH


def distinct_file_names(texts: Iterable[str]) -> dict[str, str]:
    """Return text -> its `file_name`, with eight digits of its hash where two would be equal."""
    names = {text: file_name(text) for text in texts}
    counts = Counter(names.values())
    return {t: f"{name}-{_digest(t)}" if counts[name] > 1 else name for t, name in names.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(encode(text)).hexdigest()[:8]


def never_fail_to_print() -> None:
    """Print letters that the terminal's encoding lacks as escapes, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
