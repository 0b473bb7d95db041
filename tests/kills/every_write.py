"""Stop a process at a chosen write: see the folder as a kill would leave it, or fill the disk.

Python tells an audit hook of each file that is opened, renamed or deleted before it is.
"""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def hear_writes(root: Path, events: tuple[str, ...], act: Callable[[int, str], None]) -> None:
    """Call `act` with number and path before each event below a folder, in this process."""
    count = 0

    def hear(event: str, args: tuple) -> None:
        nonlocal count
        if event not in events or (event == "open" and not args[2] & TO_WRITE):
            return
        path = "" if isinstance(args[0], int) else os.path.abspath(os.fsdecode(args[0]))
        if path.startswith(str(root)):
            count += 1
            act(count, path)

    sys.addaudithook(hear)


def keep_states(root: Path, states: Path) -> Callable[[], None]:
    """Return what has each state of a folder copied into `states`, before it is renamed or deleted.

    A kill at that moment would leave this state.
    """

    def copy(number: int, path: str) -> None:
        shutil.copytree(root, states / f"{number:04d}")

    return lambda: hear_writes(root, ("os.rename", "os.remove"), copy)


def fill_disk(root: Path, at: int) -> Callable[[], None]:
    """Return what makes each write below a folder fail from the one with number `at` on."""

    def fail(number: int, path: str) -> None:
        if number >= at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    return lambda: hear_writes(root, ("os.rename", "open"), fail)
