"""Features of real samples, computed once and cached on disk under a hash of their inputs.

A file is named by a hash of extractor, weights, resize, the digest of the data and the number of
samples, and by a hash of what may change the last bits: torch's version, kind of device, threads.
It is verified when read and computed again when damaged. Where the data are absent, a file of
another environment will do: it agrees to rounding.

What metrics compute from these features alone is kept beside them, see `RealFeatures.derived`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import nn

from bench.core.errors import UserError
from bench.core.files import DiskError, replacing
from bench.data.split import Split
from bench.runs.heartbeat import remove_partial_files
from bench.runs.identity import short_hash
from bench.scoring.features import Arrays, Features, extract, iter_batches
from bench.scoring.score import describe_extractor

SplitDigests = Mapping[str, Mapping[str, Any]]  # split -> {"digest", "count"}


@dataclass(frozen=True)
class RealFeatures:
    """Features of the real samples that a protocol may ask for.

    Args:
        name: name of the data set.
        extractor, device, batch_size: how features are computed.
        split_digests: split -> digest of its samples and labels, and their number.
        splits: split -> its samples, or None where only the cache is there.
        cache: folder of the cache, or None for no cache.
    """

    name: str
    extractor: nn.Module
    device: torch.device
    batch_size: int
    split_digests: SplitDigests
    splits: Mapping[str, Split] | None
    cache: Path | None
    _memory: dict[tuple[str, int], Features] = field(default_factory=dict, repr=False)
    _derived: dict[str, Arrays] = field(default_factory=dict, repr=False)

    def count(self, split: str, wanted: int | None, key: str) -> int:
        """Return how many samples of a split are used.

        Args:
            wanted: how many the protocol asks for; None: all.
            key: config key that names the split, for the error message.

        Raises:
            UserError: the data have no such split, or fewer samples in it.
        """
        if split not in self.split_digests:
            present = ", ".join(sorted(self.split_digests))
            message = f"{key} is {split!r}; dataset {self.name!r} has {present}"
            raise UserError(message, fix="choose one of these")
        available = self.split_digests[split]["count"]
        if wanted is not None and wanted > available:
            there = f"split {split!r} of dataset {self.name!r} has {available:,}"
            fix = f"choose another score=, or set score.n_real to {available} or less"
            raise UserError(f"score.n_real is {wanted:,}; {there}", fix=fix)
        return available if wanted is None else wanted

    def digest(self, split: str) -> str:
        """Return the digest of a split as a protocol holds it, 16 hex digits."""
        return self.split_digests[split]["digest"][:16]

    def features(self, split: str, count: int) -> Features:
        """Return features of the first `count` samples of a split, in the data's order.

        Raises:
            UserError: they are not cached and the data are absent.
        """
        if (split, count) not in self._memory:
            self._memory[split, count] = self._load_or_extract(split, count)
        return self._memory[split, count]

    def images(self, split: str, count: int) -> np.ndarray | None:
        """Return the first images, float32; None for points or where the data are absent."""
        if not count or self.splits is None or self.splits[split].samples.ndim != 4:
            return None
        samples = self.splits[split].samples[:count]
        return np.concatenate([b.numpy() for b in iter_batches(samples, self.batch_size)])

    def derived(
        self, name: str, inputs: Sequence[np.ndarray], compute: Callable[[], Arrays]
    ) -> Arrays:
        """Return arrays that depend on real features alone, computed once and cached on disk.

        All calls in a process return the same objects: what a metric writes into them later is
        kept in memory, but not on disk.

        Args:
            name: what is computed, with a version.
            inputs: all that it depends on; their content and numpy's version name the file.
            compute: computes it, where it is not cached or its file is damaged.
        """
        digest = _digest({str(place): array for place, array in enumerate(inputs)})
        stem = short_hash({"inputs": digest, "name": name, "numpy": np.__version__})
        if stem not in self._derived:
            path = None if self.cache is None else self.cache / f"{name}-{stem}.safetensors"
            arrays = None if path is None else _load_arrays(path)
            if arrays is None:
                arrays = compute()
                if path is not None:
                    with suppress(DiskError):  # a cache saves time and nothing else
                        _save_arrays(path, arrays)
            self._derived[stem] = arrays
        return self._derived[stem]

    def _load_or_extract(self, split: str, count: int) -> Features:
        data = {"digest": self.split_digests[split]["digest"], "count": count}
        key = {**describe_extractor(self.extractor), **data}
        environment = [torch.__version__, self.device.type, torch.get_num_threads()]
        stem, suffix = short_hash(key), short_hash(environment)
        if self.cache is not None:
            path = self.cache / f"{stem}-{suffix}.safetensors"
            cached = _load(path)
            if cached is None and self.splits is None:
                others = (_load(other) for other in sorted(self.cache.glob(f"{stem}-*")))
                cached = next((other for other in others if other is not None), None)
            if cached is not None:
                return self._with_labels(cached, split, path)
        if self.splits is None:
            absent = f"dataset {self.name!r} is not here, nor are features of its {split} split"
            fix = "set dataset.root=DIR, or copy this folder from a machine that has the data"
            raise UserError(f"{absent} under {self.cache}", fix=fix)
        # In whole batches: the first N features then have the same bits however many are wanted.
        read = min(-(-count // self.batch_size) * self.batch_size, len(self.splits[split].samples))
        features = extract(
            self.extractor,
            iter_batches(self.splits[split].samples[:read], self.batch_size),
            quantise=False,
            device=self.device,
            description=f"{self.extractor.name} features of {self.name}, {split}",
            total=read,
        ).subset(slice(count))
        if (labels := self.splits[split].labels) is not None:
            features = replace(features, labels=labels[:count])
        if not np.isfinite(features.features).all():
            place = f"the {split} split of {self.name!r}"
            message = f"features {self.extractor.name!r}: not finite on {place}"
            raise UserError(message, fix="choose another features=")
        if self.cache is not None:
            _save(path, features)
        return features

    def _with_labels(self, cached: Features, split: str, path: Path) -> Features:
        """Return cached features with the labels, which files of earlier versions lack."""
        labels = None if self.splits is None else self.splits[split].labels
        if labels is None or cached.labels is not None:
            return cached
        features = replace(cached, labels=labels[: len(cached)])
        with suppress(DiskError):  # a cache that cannot be written was good enough to read
            _save(path, features)
        return features


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.name} {arrays[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _save(path: Path, features: Features) -> None:
    parts = {name: getattr(features, name) for name in ("features", "logits", "labels")}
    _save_arrays(path, {name: part for name, part in parts.items() if part is not None})


def _save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    remove_partial_files(path.parent)
    with replacing(path) as temporary:
        try:
            save_file(arrays, temporary, metadata={"sha256": _digest(arrays)})
        except SafetensorError as error:  # raised for a full or read-only disk
            raise OSError(str(error)) from error


def _load(path: Path) -> Features | None:
    """Read cached features; None where there are none, or a damaged file."""
    arrays = _load_arrays(path)
    if arrays is None or "features" not in arrays:
        return None
    return Features(arrays["features"], arrays.get("logits"), labels=arrays.get("labels"))


def _load_arrays(path: Path) -> Arrays | None:
    """Read a cached file; None where there is none, or a damaged one."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as content:
            stated = (content.metadata() or {}).get("sha256")
            arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
        return arrays if _digest(arrays) == stated else None
    except Exception:  # of a type that numpy lacks, say; there is no list of them
        return None
