"""Progress bars with rate and remaining time on a terminal; nothing is printed to a log file."""

from collections.abc import Iterable

from tqdm import tqdm


def track_progress(items: Iterable, *, what: str, unit: str) -> tqdm:
    """Iterate over items, which have a length, with a progress bar on standard error."""
    return tqdm(items, desc=what, unit=f" {unit}", disable=None, leave=False)


def progress_bar(*, what: str, unit: str, total: int | None, done: int = 0) -> tqdm:
    """Return a progress bar that the caller moves by `update`, starting at `done` of `total`."""
    return tqdm(
        desc=what, unit=unit, total=total, initial=done, unit_scale=True, disable=None, leave=False
    )
