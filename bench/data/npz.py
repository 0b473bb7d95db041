"""Arrays of an .npz file that anybody may have made: nothing in it is ever unpickled."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from bench.core.errors import UserError

DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # zipfile: an encrypted member
    NotImplementedError,  # zipfile: an unknown compression
)
AGAIN = "make it again with numpy.savez, or get it again"


def names_in(path: Path) -> list[str]:
    """Names of the arrays, sorted; none is read yet.

    Raises:
        UserError: there is no such file, or it is no .npz file.
    """
    if not path.is_file():
        raise UserError(f"no file {path}", fix="check the path")
    try:
        if not zipfile.is_zipfile(path):  # numpy would take it for a pickle, and say so
            raise ValueError("no archive of arrays")
        with np.load(path, allow_pickle=False) as content:
            return sorted(content.files)
    except DAMAGE as error:
        raise UserError(f"{path} is damaged or no .npz file ({error})", fix=AGAIN) from error


def array_in(path: Path, name: str) -> np.ndarray:
    """One array of those that `names_in` lists.

    Raises:
        UserError: it is damaged, pickled, or larger than the memory.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            return np.asarray(content[name])
    except MemoryError as error:
        raise UserError(
            f"{path}: array {name!r} does not fit into memory", fix="give fewer images at once"
        ) from error
    except DAMAGE as error:
        if "allow_pickle" in str(error):
            raise UserError(
                f"{path}: array {name!r} holds pickled objects, which could run code when read",
                fix="make the file again with plain numbers in it",
            ) from error
        raise UserError(f"{path}: array {name!r} is damaged ({error})", fix=AGAIN) from error
