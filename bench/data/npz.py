"""Read arrays of an .npz file from any source; nothing in it is ever unpickled."""

import zipfile
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data.archive import LARGEST, check_size

STATISTICS, IMAGES = {"mu", "sigma", "mean", "cov"}, {"images", "arr_0"}
FIX = "write it again with numpy.savez, or copy it again"


def holds_statistics(path: Path) -> bool:
    """Return whether a file, of any suffix, is an .npz file of statistics and not of images."""
    if not (path.is_file() and zipfile.is_zipfile(path)):
        return False
    names = set(array_names(path))
    return bool(STATISTICS & names) and not IMAGES & names


def array_names(path: Path) -> list[str]:
    """Return the sorted names of the arrays, reading none; UserError if there is no .npz file."""
    if not path.is_file():
        raise UserError(f"no file {path}", fix="check the path")
    try:
        if not zipfile.is_zipfile(path):  # numpy's message would call it a pickle
            raise ValueError("no archive of arrays")
        with np.load(path, allow_pickle=False) as content:
            return sorted(content.files)
    except Exception as error:  # zipfile's and numpy's; there is no list of them
        raise UserError(f"{path} is damaged or no .npz file ({error})", fix=FIX) from error


def read_array(path: Path, name: str, limit: int = LARGEST) -> np.ndarray:
    """Read an array that `array_names` lists, of at most `limit` bytes.

    Raises:
        UserError: it is damaged, pickled or too large, which is found before it is read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                info for info in archive.filelist if info.filename.removesuffix(".npy") == name
            ]
        for info in members:
            check_size(f"{path}: array {name!r}", info.file_size, limit, info.compress_size)
        with np.load(path, allow_pickle=False) as content:
            return np.asarray(content[name])
    except MemoryError as error:
        raise UserError(
            f"{path}: array {name!r} does not fit into memory", fix="give fewer images at once"
        ) from error
    except UserError:
        raise
    except Exception as error:
        if "allow_pickle" in str(error):
            raise UserError(
                f"{path}: array {name!r} holds pickled objects, which could run code when read",
                fix="write the file again with plain numbers in it",
            ) from error
        raise UserError(f"{path}: array {name!r} is damaged ({error})", fix=FIX) from error
