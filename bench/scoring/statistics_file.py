"""Reference statistics as an .npz file: what a Frechet distance needs of the real images.

`mu` [F] and `sigma` [F, F] are named as pytorch-fid (Seitzer 2020) and clean-fid (Parmar et al.
2022, arXiv:2104.11222) name them, so that they read our files and we read theirs. Ours also hold
`n`, `protocol` (JSON) and `sha256` over all of it, which is verified when read. It is a checksum
against damage and edits, no signature.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from bench.core.errors import UserError
from bench.core.files import replacing, sha256_of
from bench.data.npz import array_in, names_in

UNSTATED = "not stated"
SAME = ("extractor", "weight_hash", "resize")  # what must be that of the extractor in use
TOLERANCE = 1e-6  # of sigma's largest entry; others store float32


@dataclass(frozen=True)
class Statistics:
    """Moments of real features.

    Args:
        mean: [F], float64.
        cov: [F, F], float64, divided by n - 1.
        n: number of images, or None where the file does not say.
        protocol: how they were made.
    """

    mean: np.ndarray
    cov: np.ndarray
    n: int | None
    protocol: dict[str, Any]


def write_statistics(
    path: Path, mean: np.ndarray, cov: np.ndarray, n: int, protocol: Mapping[str, Any]
) -> None:
    """Write the file whole or not at all.

    Args:
        path: its place.
        mean, cov, n: see `Statistics`.
        protocol: JSON values; "extractor", "weight_hash" and "resize" at least, as the extractor
            names them.

    Raises:
        ValueError: these are no statistics, or the protocol lacks one of the three.
        UserError: the place cannot be written.
    """
    lacking = [key for key in SAME if key not in protocol]
    if lacking:
        raise ValueError(f"write_statistics: the protocol does not state {', '.join(lacking)}")
    if n < 2:
        raise ValueError(f"write_statistics: of two images at least, found n = {n}")
    mean, cov = (np.ascontiguousarray(a, dtype=np.float64) for a in (mean, cov))
    if (wrong := _wrong(mean, cov)) is not None:
        raise ValueError(f"write_statistics: {wrong}")
    text = json.dumps(protocol, sort_keys=True, allow_nan=False)
    digest = _digest(mean, cov, n, text)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, mu=mean, sigma=cov, n=np.int64(n), protocol=text, sha256=digest)


def read_statistics(path: Path, *, extractor: nn.Module) -> Statistics:
    """What a file holds that was made with this extractor, or that does not say with which.

    Args:
        path: ours, or any .npz file with `mu` and `sigma`.
        extractor: with which the other side's features are made.

    Raises:
        UserError: the file is absent, damaged or changed, or of another extractor.
    """
    names = set(names_in(path))
    if not {"mu", "sigma"} <= names:
        raise UserError(
            f"{path}: no statistics mu and sigma (it has {', '.join(sorted(names)) or 'nothing'})",
            fix="give a file of statistics, or the real images themselves",
        )
    stored = {name: array_in(path, name) for name in ("mu", "sigma")}
    if {"protocol", "sha256"} & names:
        n, protocol = _stated(path, stored, names)
        _require_same(path, protocol, extractor)
    else:
        n, protocol = None, _unstated(path)
    if not all(np.issubdtype(array.dtype, np.floating) for array in stored.values()):
        kinds = " and ".join(str(array.dtype) for array in stored.values())
        raise _unfit(path, f"mu and sigma are {kinds}, no floating point numbers")
    mean, cov = (array.astype(np.float64) for array in stored.values())
    if (wrong := _wrong(mean, cov)) is not None:
        raise _unfit(path, wrong)
    if len(mean) != extractor.width:
        raise UserError(
            f"{path} holds statistics of {len(mean)} features, "
            f"extractor {extractor.name!r} has {extractor.width}",
            fix="choose features=NAME that the file was made with, or another file",
        )
    return Statistics(mean, (cov + cov.T) / 2, n, protocol)


def _stated(
    path: Path, stored: Mapping[str, np.ndarray], names: set[str]
) -> tuple[int, dict[str, Any]]:
    """n and protocol of a file of ours, verified."""
    if not {"n", "protocol", "sha256"} <= names:
        raise _unfit(path, "of n, protocol and sha256 one is gone")
    n, text, digest = (array_in(path, name) for name in ("n", "protocol", "sha256"))
    try:
        if str(digest) != _digest(stored["mu"], stored["sigma"], int(n), str(text)):
            raise ValueError("its content is not what was written")
        protocol = dict(json.loads(str(text)))
    except (ValueError, TypeError) as error:
        raise _unfit(path, str(error)) from error
    return int(n), protocol


def _unstated(path: Path) -> dict[str, Any]:
    """The protocol of statistics that somebody else made: only the file itself is known."""
    source = f"{path.name}, SHA-256 {sha256_of(path)}"
    return {**dict.fromkeys((*SAME, "quantised"), UNSTATED), "source": source}


def _require_same(path: Path, protocol: Mapping[str, Any], extractor: nn.Module) -> None:
    used = (extractor.name, extractor.weight_hash, extractor.resize)
    for key, ours in zip(SAME, used, strict=True):
        if protocol.get(key) != ours:
            raise UserError(
                f"{path} holds statistics of another extractor: {key.replace('_', ' ')} "
                f"{protocol.get(key)!r}, in use is {ours!r}",
                fix="choose features=NAME that the file was made with, or make the file again",
            )


def _wrong(mean: np.ndarray, cov: np.ndarray) -> str | None:
    """Why these are no mean and covariance, or None."""
    if mean.ndim != 1 or not len(mean) or cov.shape != 2 * mean.shape:
        return f"mu and sigma of shapes {list(mean.shape)} and {list(cov.shape)}, not [F], [F, F]"
    if not (np.isfinite(mean).all() and np.isfinite(cov).all()):
        return "mu or sigma holds NaN or infinity"
    if np.abs(cov - cov.T).max() > TOLERANCE * np.abs(cov).max():
        return "sigma is not symmetric"
    if cov.diagonal().min() < 0:
        return "sigma has a negative variance"
    return None


def _unfit(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} is damaged or was changed: {why}", fix="make it again, or get it again"
    )


def _digest(mean: np.ndarray, cov: np.ndarray, n: int, text: str) -> str:
    digest = hashlib.sha256()
    for array in (mean, cov):
        digest.update(f"{array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array, dtype="<f8").data)
    digest.update(f"{n}\n{text}".encode())
    return digest.hexdigest()
