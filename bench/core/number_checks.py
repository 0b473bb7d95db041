"""Checks of numbers that come from a config, where anything may stand: True and False are none."""

from typing import TypeGuard


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value is an int or a float, and not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole_number(value: object, least: int | None = None) -> TypeGuard[int]:
    """Return whether a value is an int from `least` on (any, if None), and not a bool."""
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return least is None or value >= least


def require_whole_number(
    name: str, value: object, least: int | None = None, *, meaning: str = ""
) -> None:
    """Refuse, with a ValueError, a setting that is no whole number from `least` on.

    Args:
        name: the setting's key, for the message.
        least: the smallest value allowed, or None for any.
        meaning: what is counted, for the message.
    """
    if not is_whole_number(value, least):
        counted = f"it counts {meaning}: " if meaning else ""
        since = "" if least is None else f" from {least} on"
        raise ValueError(f"{name} is {value!r}; {counted}set it to a whole number{since}")
