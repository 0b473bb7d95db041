"""One GPU for each process of a multirun, where a machine has several.

A process holds its GPU by a lock on a file (flock), which the kernel takes back however the process
ends. Where there are more processes than GPUs they share, evenly.
"""

import os
import tempfile
from itertools import count
from pathlib import Path
from typing import IO

import torch

from bench.core.errors import UserError

_held: list[IO[bytes]] = []  # the lock of this process, open until it ends


def acquire_gpu(accelerator: str, devices: int = 1) -> None:
    """Let this process see one GPU of several: the least used by other processes of the user.

    Must come before CUDA is initialised; later, or a second time, it does nothing.

    Args:
        accelerator: trainer.accelerator; on the CPU there is nothing to claim.
        devices: how many the run wants; one that wants several sees them all.
    """
    if _held or accelerator not in ("auto", "gpu") or devices != 1 or torch.cuda.is_initialized():
        return
    number = torch.cuda.device_count()  # asks the driver's library: CUDA stays uninitialised
    if number < 2:
        return
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = given.split(",")[:number] if given else [str(index) for index in range(number)]
    folder = Path(tempfile.gettempdir()) / f"created-equal-gpus-{os.getuid()}"
    name, lock = acquire_first(names, folder)
    _held.append(lock)
    os.environ["CUDA_VISIBLE_DEVICES"] = name


def acquire_first(names: list[str], folder: Path) -> tuple[str, IO[bytes]]:
    """The first name that the fewest living processes hold, and the lock, held while it is open.

    Args:
        names: of what is shared out.
        folder: of the lock files; made if it is not there.

    Raises:
        UserError: the folder cannot be used.
    """
    import fcntl  # not on Windows, where torch's GPUs go unshared by name

    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for layer in count():
            for name in names:
                lock = (folder / f"{name.strip().replace('/', '-')}.{layer}").open("ab")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return name.strip(), lock
                except BlockingIOError:
                    lock.close()
    except OSError as error:
        raise UserError(
            f"cannot share out GPUs by {error.filename or folder}: {error.strerror}",
            fix="set TMPDIR to a folder that you may write to",
        ) from error
    raise AssertionError("a layer without end")
