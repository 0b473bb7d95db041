"""Prepared files: the arrays of a data set, with a digest, in ROOT/NAME.safetensors.

Tensors `train.samples`, `train.labels`, `test.samples` ... (uint8, float32, int64); metadata: name,
licence, source and the digest of the content, which is checked at each load.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from bench.core.errors import UserError
from bench.core.files import replacing
from bench.data.digest import content_digest
from bench.data.split import Split

SUFFIX = ".safetensors"


def prepared_path(root: Path, name: str) -> Path:
    """Return the path of a data set's prepared file; UserError if its name is no file's name."""
    if Path(name).name != name:
        raise UserError(f"dataset name {name!r} is a path", fix="give the data set a plain name")
    return root / f"{name}{SUFFIX}"


def missing_dataset(root: Path, name: str, raw: str, fix: str) -> UserError:
    """Return the error for a data set that has neither prepared nor `raw` files under `root`."""
    present = sorted(path.stem for path in root.glob(f"*{SUFFIX}"))
    return UserError(
        f"dataset {name!r}: no file {prepared_path(root, name)} (present: "
        f"{', '.join(present) or 'none'}) and no {raw} in {root} or {root / name}",
        fix=fix,
    )


def save(path: Path, splits: Mapping[str, Split], *, name: str, licence: str, source: str) -> None:
    """Write a prepared file with its metadata completely, or raise a UserError and leave none."""
    tensors = {}
    for split, content in splits.items():
        tensors[f"{split}.samples"] = np.ascontiguousarray(content.samples)
        if content.labels is not None:
            tensors[f"{split}.labels"] = np.ascontiguousarray(content.labels)
    metadata = {"name": name, "licence": licence, "source": source}
    metadata["digest"] = content_digest(splits)
    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=metadata)
        except SafetensorError as error:  # raised for a full or read-only disk
            raise OSError(str(error)) from error


def load(path: Path, name: str) -> dict[str, Split]:
    """Read the prepared file of data set `name`; UserError if unreadable, damaged or another's."""
    again = f"delete {path} and run `bench prepare {name}`"
    try:
        if not path.is_file():
            raise OSError("it is no file")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        splits = {
            split: Split(tensors[f"{split}.samples"], tensors.get(f"{split}.labels"))
            for split in sorted({key.partition(".")[0] for key in tensors})
        }
        digest = content_digest(splits)
    except OSError as error:
        raise UserError(
            f"dataset {name!r}: cannot read {path}: {error.strerror or error}",
            fix="make it readable, or set dataset.root=DIR",
        ) from error
    except Exception as error:  # of a type that numpy lacks, say; there is no list of them
        raise UserError(f"dataset {name!r}: {path} is damaged ({error})", fix=again) from error
    if metadata.get("digest") != digest:
        raise UserError(
            f"dataset {name!r}: {path} is damaged (its content is not what was written)", fix=again
        )
    if metadata.get("name") != name:
        raise UserError(
            f"dataset {name!r}: {path} holds the data set {metadata.get('name')!r}",
            fix=f"move it away and run `bench prepare {name}`",
        )
    return splits
