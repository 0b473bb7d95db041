"""A bar with rate and remaining time on a terminal, nothing in a log file."""

from collections.abc import Iterable

from tqdm import tqdm


def progress(items: Iterable, *, what: str, unit: str) -> tqdm:
    """The items again, counted on standard error while they pass.

    Args:
        items: anything with a length.
        what: shown before the bar.
        unit: of one item, singular.
    """
    return tqdm(items, desc=what, unit=f" {unit}", disable=None, leave=False)


def counter(*, what: str, unit: str, total: int | None, done: int = 0) -> tqdm:
    """A bar that the caller moves by `update`; a resumed one starts at `done`."""
    return tqdm(
        desc=what, unit=unit, total=total, initial=done, unit_scale=True, disable=None, leave=False
    )
