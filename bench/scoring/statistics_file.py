"""Reference statistics in an .npz file: all that a Frechet distance needs of the real images.

`mu` [F] and `sigma` [F, F] are named as in pytorch-fid (Seitzer 2020) and clean-fid (Parmar et al.
2022, arXiv:2104.11222), so that both read our files and we read theirs. Our files also hold `n`,
`protocol` (JSON) and `sha256` over all of it, which is verified on reading: a checksum against
damage and edits, no signature.
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
from bench.core.files import parse_json, replacing, sha256_of
from bench.data.npz import array_names, read_array

NOT_STATED = "not stated"
EXTRACTOR_KEYS = ("extractor", "weight_hash", "resize")  # must agree with the extractor in use
TOLERANCE = 1e-6  # of sigma's largest entry or eigenvalue; others store float32
LARGEST = 2**30  # bytes of an array: sigma of 11,585 features in float64


@dataclass(frozen=True)
class Statistics:
    """Moments of real features.

    Args:
        mean: [F], float64.
        cov: [F, F], float64, divided by n - 1.
        n: number of images, or None where the file does not state it.
        protocol: how the statistics were computed.
    """

    mean: np.ndarray
    cov: np.ndarray
    n: int | None
    protocol: dict[str, Any]


def write_statistics(
    path: Path, mean: np.ndarray, cov: np.ndarray, n: int, protocol: Mapping[str, Any]
) -> None:
    """Write statistics to a file, completely or not at all.

    Args:
        path: the file to write.
        mean, cov, n: see `Statistics`.
        protocol: JSON values; "extractor", "weight_hash" and "resize" at least, as in
            `describe_extractor`.

    Raises:
        ValueError: mean and cov are no statistics, or the protocol lacks one of the three keys.
        UserError: the file cannot be written.
    """
    if lacking := [key for key in EXTRACTOR_KEYS if key not in protocol]:
        raise ValueError(f"write_statistics: the protocol does not state {', '.join(lacking)}")
    if n < 2:
        raise ValueError(f"write_statistics: needs two images at least, found n = {n}")
    mean, cov = (np.ascontiguousarray(a, dtype=np.float64) for a in (mean, cov))
    if (problem := _find_problem(mean, cov)) is not None:
        raise ValueError(f"write_statistics: {problem}")
    text = json.dumps(protocol, sort_keys=True, allow_nan=False)
    digest = _digest(mean, cov, n, text)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, mu=mean, sigma=cov, n=np.int64(n), protocol=text, sha256=digest)


def read_statistics(path: Path, *, extractor: nn.Module) -> Statistics:
    """Read statistics that were computed with this extractor, or whose file does not state one.

    Args:
        path: a file of `write_statistics`, or any .npz file with `mu` and `sigma`.
        extractor: extractor of the features that the statistics are compared with.

    Raises:
        UserError: the file is absent, damaged or changed, or of another extractor.
    """
    names = set(array_names(path))
    if not {"mu", "sigma"} <= names:
        present = ", ".join(sorted(names)) or "no array"
        message = f"{path}: no statistics mu and sigma (it has {present})"
        fix = "write it with numpy.savez(FILE, mu=mean, sigma=covariance), or give the real images"
        raise UserError(message, fix=fix)
    stored = {name: read_array(path, name, LARGEST) for name in ("mu", "sigma")}
    if {"protocol", "sha256"} & names:
        n, protocol = _verify_protocol(path, stored, names)
        _check_extractor(path, protocol, extractor)
    else:
        n, protocol = None, _unknown_protocol(path)
    if not all(np.issubdtype(array.dtype, np.floating) for array in stored.values()):
        kinds = " and ".join(str(array.dtype) for array in stored.values())
        raise _damaged(path, f"mu and sigma are {kinds}, no floating point numbers")
    mean, cov = (array.astype(np.float64) for array in stored.values())
    if (problem := _find_problem(mean, cov)) is not None:
        raise _damaged(path, problem)
    if len(mean) != extractor.width:
        in_use = f"extractor {extractor.name!r} has {extractor.width}"
        fix = "choose features=NAME that the file was made with, or another file"
        raise UserError(f"{path} holds statistics of {len(mean)} features, {in_use}", fix=fix)
    variances = np.linalg.eigvalsh(cov)
    if variances[0] < -TOLERANCE * np.abs(variances).max():
        problem = f"sigma is no covariance: along one direction the variance is {variances[0]:.3g}"
        raise _damaged(path, problem)
    return Statistics(mean, (cov + cov.T) / 2, n, protocol)


def _verify_protocol(
    path: Path, stored: Mapping[str, np.ndarray], names: set[str]
) -> tuple[int, dict[str, Any]]:
    """Return n and protocol of a file of `write_statistics`, after checking its SHA-256."""
    if not {"n", "protocol", "sha256"} <= names:
        raise _damaged(path, "n, protocol or sha256 is missing")
    n, text, digest = (read_array(path, name, LARGEST) for name in ("n", "protocol", "sha256"))
    try:
        if str(digest) != _digest(stored["mu"], stored["sigma"], int(n), str(text)):
            raise ValueError("its content is not what was written")
        protocol = parse_json(str(text), dict)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    return int(n), protocol


def _unknown_protocol(path: Path) -> dict[str, Any]:
    """Return the protocol of a file of other software: nothing is known but the file itself."""
    source = f"{path.name}, SHA-256 {sha256_of(path)}"
    return {**dict.fromkeys((*EXTRACTOR_KEYS, "quantised"), NOT_STATED), "source": source}


def _check_extractor(path: Path, protocol: Mapping[str, Any], extractor: nn.Module) -> None:
    in_use = (extractor.name, extractor.weight_hash, extractor.resize)
    for key, value in zip(EXTRACTOR_KEYS, in_use, strict=True):
        if protocol.get(key) != value:
            stated = f"{key.replace('_', ' ')} {protocol.get(key)!r}, in use is {value!r}"
            fix = "choose features=NAME that the file was made with, or make the file again"
            raise UserError(f"{path} holds statistics of another extractor: {stated}", fix=fix)


def _find_problem(mean: np.ndarray, cov: np.ndarray) -> str | None:
    """Return why these are no mean and covariance, or None."""
    if mean.ndim != 1 or not len(mean) or cov.shape != 2 * mean.shape:
        return f"mu and sigma of shapes {list(mean.shape)} and {list(cov.shape)}, not [F], [F, F]"
    if not (np.isfinite(mean).all() and np.isfinite(cov).all()):
        return "mu or sigma holds NaN or infinity"
    if np.abs(cov - cov.T).max() > TOLERANCE * np.abs(cov).max():
        return "sigma is not symmetric"
    if cov.diagonal().min() < 0:
        return "sigma has a negative variance"
    return None


def _damaged(path: Path, reason: str) -> UserError:
    fix = "write it again, or copy it again"
    return UserError(f"{path} is damaged or was changed: {reason}", fix=fix)


def _digest(mean: np.ndarray, cov: np.ndarray, n: int, text: str) -> str:
    digest = hashlib.sha256()
    for array in (mean, cov):
        digest.update(f"{array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array, dtype="<f8").data)
    digest.update(f"{n}\n{text}".encode())
    return digest.hexdigest()
