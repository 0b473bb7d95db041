"""Give each process of a multirun one GPU, where a machine has several.

A process holds its GPU by a lock on a file (flock), which the kernel releases however the process
ends. Where there are more processes than GPUs they share them evenly.
"""

import os
import stat
import tempfile
from itertools import count
from pathlib import Path
from typing import IO

import torch

from bench.core.errors import UserError

_held_locks: list[IO[bytes]] = []  # the lock of this process, open until it ends


def acquire_gpu(accelerator: str, devices: int = 1) -> None:
    """Let this process see one GPU of several: the one that fewest of the user's processes hold.

    Must come before CUDA is initialised; later, or a second time, it does nothing.

    Args:
        accelerator: trainer.accelerator; a run on the CPU needs no GPU.
        devices: trainer.devices; a run on several GPUs sees them all.
    """
    needs_one = accelerator in ("auto", "gpu") and devices == 1
    if _held_locks or not needs_one or torch.cuda.is_initialized():
        return
    number = torch.cuda.device_count()  # asks the driver's library: CUDA stays uninitialised
    if number < 2:
        return
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",")[:number] if visible else [str(index) for index in range(number)]
    folder = Path(tempfile.gettempdir()) / f"created-equal-gpus-{os.getuid()}"
    name, lock = acquire_least_used(names, folder)
    _held_locks.append(lock)
    os.environ["CUDA_VISIBLE_DEVICES"] = name


def acquire_least_used(names: list[str], folder: Path) -> tuple[str, IO[bytes]]:
    """Return the first name that the fewest processes hold, and its lock, held while it is open.

    The lock files lie in the folder, which is created; UserError where it cannot be used, or is a
    link or open to others: its name is known, and anybody may write to the folder above.
    """
    import fcntl  # here, because Windows has no such module

    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        shared = found.st_uid != os.getuid() or found.st_mode & 0o077
        if shared or not stat.S_ISDIR(found.st_mode):
            message = f"cannot lock a GPU in {folder}: it is not a folder that is yours alone"
            raise UserError(message, fix="remove it, or set TMPDIR to a folder of your own")
        for layer in count():
            for name in names:
                lock = (folder / f"{name.strip().replace('/', '-')}.{layer}").open("ab")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return name.strip(), lock
                except BlockingIOError:
                    lock.close()
    except OSError as error:
        message = f"cannot lock a GPU by a file in {error.filename or folder}: {error.strerror}"
        raise UserError(message, fix="set TMPDIR to a folder that you may write to") from error
    raise AssertionError("the loop over layers ended")
