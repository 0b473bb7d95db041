"""Texts that came from files, made safe to print."""

import io
import sys


def printable(text: str) -> str:
    """Return a text with control characters, newlines among them, as escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )


def never_fail_to_print() -> None:
    """Print letters that the terminal's encoding lacks as escapes, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
