"""Measurements of parts on disk: computed once, named by a hash of everything they depend on."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import UserError
from bench.core.files import parse_json, write_bytes
from bench.data.npz import array_names, read_array
from bench.runs.identity import hash_text, identity_text
from bench.theory.experiment import Experiment, Measurements, PartSettings

FOLDER = "claims"
METADATA = "about"  # name of the array of a file that holds JSON


def part_path(runs_root: Path, experiment: Experiment, settings: PartSettings) -> Path:
    """Return the path of a part's measurements, whether or not they are there yet."""
    identity = {"statement": experiment.id, "version": experiment.version, "settings": settings}
    part_id = hash_text(identity_text({**identity, "threads": 1, "device": "cpu"}))
    return runs_root / FOLDER / f"{experiment.id}-{part_id}.npz"


def to_npz(arrays: Measurements, metadata: Mapping[str, Any]) -> bytes:
    """Pack plain arrays and one of JSON as .npz; equal contents give equal bytes.

    Raises:
        ValueError: an array holds objects, which could not be read back safely.
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject or name == METADATA:
            raise ValueError(f"array {name!r} of a result holds objects or has a name of ours")
    text = np.frombuffer(json.dumps(metadata, sort_keys=True).encode(), dtype=np.uint8)
    named: dict[str, Any] = {METADATA: text, **{k: np.asarray(v) for k, v in arrays.items()}}
    content = io.BytesIO()
    np.savez_compressed(content, **named)
    return content.getvalue()


def read_npz(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of a file and its metadata.

    Raises:
        UserError: the file is missing or damaged.
    """
    if not path.exists():
        raise UserError(f"no result {path}", fix="check the path")
    arrays = {name: read_array(path, name) for name in array_names(path)}
    try:
        return arrays, parse_json(arrays.pop(METADATA).tobytes().decode(), dict)
    except (ValueError, KeyError) as error:
        raise UserError(
            f"cannot read the result {path}: {error}", fix="move it away: it is computed anew"
        ) from error


def write_part(path: Path, arrays: Measurements, metadata: Mapping[str, Any]) -> None:
    """Write a part's measurements; the file is complete or absent."""
    write_bytes(path, to_npz(arrays, metadata))
