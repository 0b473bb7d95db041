"""Features of real samples: computed once, kept on disk under what they depend on.

A file is named by a hash of extractor, weights, resize, the digest of the data and the number of
samples, and by one of what may change the last bits: torch's version, kind of device, threads. It
is verified when read and made again when damaged. Where the data are absent a file of another
environment will do: it agrees to rounding.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import nn

from bench.core.errors import UserError
from bench.core.files import replacing
from bench.data.split import Split
from bench.runs.identity import short_hash
from bench.scoring.features import Features, batches_of, extract
from bench.scoring.score import describe_extractor

Facts = Mapping[str, Mapping[str, Any]]  # split -> {"digest", "count"}


@dataclass(frozen=True)
class RealFeatures:
    """The real samples that a protocol may ask for.

    Args:
        name: of the data set.
        extractor, device, batch_size: how features are made.
        facts: split -> digest of its samples and labels, and their number.
        splits: the samples, or None where only the cache is there.
        cache: folder, or None to keep nothing.
    """

    name: str
    extractor: nn.Module
    device: torch.device
    batch_size: int
    facts: Facts
    splits: Mapping[str, Split] | None
    cache: Path | None
    _memory: dict[tuple[str, int], Features] = field(default_factory=dict, repr=False)

    def count(self, split: str, wanted: int | None, asked_by: str) -> int:
        """How many samples of a split there are to take.

        Raises:
            UserError: the data have no such split, or fewer samples in it.
        """
        if split not in self.facts:
            raise UserError(
                f"{asked_by} is {split!r}; dataset {self.name!r} has "
                f"{', '.join(sorted(self.facts))}",
                fix="choose one of these",
            )
        there = self.facts[split]["count"]
        if wanted is not None and wanted > there:
            raise UserError(
                f"score.n_real is {wanted:,}; split {split!r} of dataset {self.name!r} "
                f"has {there:,}",
                fix=f"choose another score=, or set score.n_real to {there} or less",
            )
        return there if wanted is None else wanted

    def digest(self, split: str) -> str:
        """Of a split, as it stands in a protocol."""
        return self.facts[split]["digest"][:16]

    def features(self, split: str, count: int) -> Features:
        """Features of the first `count` samples of a split, in the data's order.

        Raises:
            UserError: they are not cached and the data are absent.
        """
        known = self._memory.get((split, count))
        if known is None:
            known = self._memory[split, count] = self._read(split, count)
        return known

    def images(self, split: str, count: int) -> np.ndarray | None:
        """The first samples themselves, float32; None for points or where the data are absent."""
        if not count or self.splits is None or self.splits[split].samples.ndim != 4:
            return None
        samples = self.splits[split].samples[:count]
        return np.concatenate([b.numpy() for b in batches_of(samples, self.batch_size)])

    def _read(self, split: str, count: int) -> Features:
        key = {
            **describe_extractor(self.extractor),
            "digest": self.facts[split]["digest"],
            "count": count,
        }
        environment = [torch.__version__, self.device.type, torch.get_num_threads()]
        stem, suffix = short_hash(key), short_hash(environment)
        if self.cache is not None:
            path = self.cache / f"{stem}-{suffix}.safetensors"
            found = _load(path)
            if found is None and self.splits is None:
                others = (_load(other) for other in sorted(self.cache.glob(f"{stem}-*")))
                found = next((f for f in others if f is not None), None)
            if found is not None:
                return found
        if self.splits is None:
            raise UserError(
                f"dataset {self.name!r} is not here, nor are features of its {split} split under "
                f"{self.cache}",
                fix="set dataset.root=DIR, or copy the references of a machine that has the data",
            )
        batches = batches_of(self.splits[split].samples[:count], self.batch_size)
        what = f"{self.extractor.name} features of {self.name}, {split}"
        found = extract(
            self.extractor, batches, quantise=False, device=self.device, what=what, total=count
        )
        if not np.isfinite(found.features).all():
            raise UserError(
                f"features {self.extractor.name!r}: not finite on the {split} split of "
                f"{self.name!r}",
                fix="choose another features=",
            )
        if self.cache is not None:
            _save(path, found)
        return found


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.name} {arrays[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _save(path: Path, seen: Features) -> None:
    arrays = {"features": np.ascontiguousarray(seen.features)}
    if seen.logits is not None:
        arrays["logits"] = np.ascontiguousarray(seen.logits)
    with replacing(path) as temporary:
        save_file(arrays, temporary, metadata={"sha256": _digest(arrays)})


def _load(path: Path) -> Features | None:
    """What the file holds; None where there is none, or one that is damaged."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as content:
            stated = (content.metadata() or {}).get("sha256")
            arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError):
        return None
    if "features" not in arrays or _digest(arrays) != stated:
        return None
    return Features(arrays["features"], arrays.get("logits"))
