"""Escape text for Markdown: CommonMark 0.31 with GitHub's tables, strikethrough and formulas."""

import re

from bench.core.text import printable

ALWAYS = re.compile(r"[\\`*~|$]")
LINK = re.compile(r"\](?=[(\[:])|^\[")  # the end of a link's text, and the start of a definition
ADDRESS = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)  # GitHub makes links of addresses
BRACKET = re.compile(r"[\[\]]")
UNDERSCORE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")  # emphasis; within a word it is none
BLOCK = re.compile(r"^(?:[#>=]|[-+](?![\w.])|\d+(?=[.)](?:\s|$)))")  # heading, quote, list
CLOSING = re.compile(r"(?<= )#+ *$")  # the end of a heading


def escape_markdown(text: str, brackets: re.Pattern[str] = LINK) -> str:
    """Escape text of one line so that Markdown shows it as it is, in a cell or in a sentence."""
    text = ALWAYS.sub(r"\\\g<0>", printable(text))
    text = ADDRESS.sub(r"\\\g<0>", brackets.sub(r"\\\g<0>", text))
    text = UNDERSCORE.sub(lambda run: "\\_" * len(run[0]), text)
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    bare = text.lstrip(" ")
    start = " " if bare != text else ""  # four spaces would begin a block of code
    return start + BLOCK.sub(_escape_start, CLOSING.sub(r"\\\g<0>", bare))


def escape_label(text: str) -> str:
    """Escape text between the brackets of a link or an image."""
    return escape_markdown(text, BRACKET)


def code_span(text: str) -> str:
    """Return text as code in a cell: between backticks, or with entities where it has a pipe.

    The fence is longer than any run of backticks in the text. A pipe ends a cell in code too, and
    readers disagree on a backslash before it.
    """
    text = printable(text)
    if "|" in text:
        signs = (c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)
        return f"<code>{''.join(signs)}</code>"
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if text[:1] in ("", "`", " ") or text[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _escape_start(start: re.Match[str]) -> str:
    return f"{start[0]}\\" if start[0].isdigit() else f"\\{start[0]}"
