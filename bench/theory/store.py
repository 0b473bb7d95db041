"""Results of parts on disk: computed once, named by everything they depend on."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import UserError
from bench.core.files import write_bytes
from bench.runs.identity import content_of, hash_of
from bench.theory.experiment import Arrays, Experiment, Settings

FOLDER = "claims"
ABOUT = "about"  # of the arrays of a file, the one that holds JSON


def part_id(statement: Experiment, settings: Settings) -> str:
    """16 hex digits: of the statement, its version, the part's settings, one thread of a CPU."""
    identity = {"statement": statement.id, "version": statement.version, "settings": settings}
    return hash_of(content_of({**identity, "threads": 1, "device": "cpu"}))


def path_of(runs_root: Path, statement: Experiment, settings: Settings) -> Path:
    """Where a part's result lies, or will."""
    return runs_root / FOLDER / f"{statement.id}-{part_id(statement, settings)}.npz"


def pack(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> bytes:
    """A .npz of plain arrays and one of JSON; equal contents give equal bytes.

    Raises:
        ValueError: an array holds objects, which could not be read back safely.
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject or name == ABOUT:
            raise ValueError(f"array {name!r} of a result holds objects or has a name of ours")
    text = np.frombuffer(json.dumps(about, sort_keys=True).encode(), dtype=np.uint8)
    content = io.BytesIO()
    np.savez_compressed(content, **{ABOUT: text}, **{k: np.asarray(v) for k, v in arrays.items()})
    return content.getvalue()


def unpack(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and what is said about them.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as opened:
            arrays = {name: opened[name] for name in opened.files}
        about = json.loads(arrays.pop(ABOUT).tobytes())
    except FileNotFoundError as error:
        raise UserError(f"no result {path}", fix="check the path") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"cannot read the result {path}: {error}", fix="move it away: it is computed anew"
        ) from error
    return arrays, about


def keep(path: Path, arrays: Arrays, about: Mapping[str, Any]) -> None:
    """Write a part's result whole."""
    write_bytes(path, pack(arrays, about))
