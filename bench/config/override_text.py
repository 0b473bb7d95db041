"""Write values as Hydra's overrides, so that each is read back as what it is."""

from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException


def override_text(value: Any) -> str:
    """Return a value as it is typed in an override: true, null, [1,2], 0.5.

    Text that Hydra would read as something else, 12e5 or null say, is quoted.
    """
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(override_text(item) for item in value)}]"
    if isinstance(value, str):
        return value if _is_read_as_text(value) else quote(value)
    return repr(value) if isinstance(value, float) else str(value)


def quote(text: str) -> str:
    """Return a text in the quotes that keep it a text in an override."""
    return QuotedString(text, Quote.single).with_quotes()


def _is_read_as_text(text: str) -> bool:
    parse = OverridesParser.create().parse_override
    try:
        return parse(f"x={text}").value() == text and parse(f"x=[{text},a]").value() == [text, "a"]
    except HydraException:
        return False
