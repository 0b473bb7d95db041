"""Read arrays of an .npz file from any source; nothing in it is ever unpickled."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from bench.core.errors import UserError

DAMAGE = (
    *(OSError, ValueError, EOFError, KeyError, SyntaxError, zipfile.BadZipFile, zlib.error),
    *(RuntimeError, NotImplementedError),  # zipfile: an encrypted member, an unknown compression
)
FIX = "write it again with numpy.savez, or copy it again"


def array_names(path: Path) -> list[str]:
    """Return the sorted names of the arrays, reading none; UserError if there is no .npz file."""
    if not path.is_file():
        raise UserError(f"no file {path}", fix="check the path")
    try:
        if not zipfile.is_zipfile(path):  # numpy's message would call it a pickle
            raise ValueError("no archive of arrays")
        with np.load(path, allow_pickle=False) as content:
            return sorted(content.files)
    except DAMAGE as error:
        raise UserError(f"{path} is damaged or no .npz file ({error})", fix=FIX) from error


def read_array(path: Path, name: str) -> np.ndarray:
    """Read an array that `array_names` lists; UserError if damaged, pickled or beyond memory."""
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
                fix="write the file again with plain numbers in it",
            ) from error
        raise UserError(f"{path}: array {name!r} is damaged ({error})", fix=FIX) from error
