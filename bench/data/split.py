"""One split of a data set: samples for training, checkpoint selection or reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.core.errors import UserError
from bench.core.number_checks import is_whole_number

NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Samples and, where the data have them, their labels.

    Args:
        samples: images, uint8 [N, C, H, W]; or points, float32 [N, D].
        labels: int64 [N], or None.

    Raises:
        ValueError: samples or labels have another dtype or rank, or are not equally many.
    """

    samples: np.ndarray
    labels: np.ndarray | None

    def __post_init__(self) -> None:
        kind = (self.samples.dtype.name, self.samples.ndim)
        if kind not in {("uint8", 4), ("float32", 2)}:
            raise ValueError(f"Split: samples are {kind[0]} of {kind[1]} dimensions")
        if self.labels is None:
            return
        if self.labels.dtype != np.int64 or self.labels.shape != self.samples.shape[:1]:
            raise ValueError(
                f"Split: labels are {self.labels.dtype.name} {list(self.labels.shape)} for "
                f"{len(self.samples)} samples"
            )

    def first(self, count: int | None) -> "Split":
        """Return the first samples, `count` of them, or all for None, in the data's order.

        Raises:
            UserError: there are fewer.
        """
        if count is None:
            return self
        if count > len(self.samples):
            there = f"the training split has {len(self.samples):,} samples"
            raise UserError(f"train_images is {count:,}, and {there}", fix="lower train_images")
        return Split(self.samples[:count], None if self.labels is None else self.labels[:count])


def validate_counts(name: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Check a data set's numbers of samples, split -> count, and sort them by split.

    Returns:
        The counts in the order of NAMES: the order of a config's lines changes no sample.

    Raises:
        UserError: an unknown split, no train or test, or a count below 1.
    """
    unknown = sorted(set(counts) - set(NAMES))
    absent = [split for split in ("train", "test") if split not in counts]
    if unknown or absent:
        raise UserError(
            f"dataset {name!r}: splits are {', '.join(counts) or 'none'}",
            fix=f"dataset.source.counts needs train and test, and may have {NAMES[1]}",
        )
    for split, count in counts.items():
        if not is_whole_number(count, 1):
            raise UserError(
                f"dataset {name!r}: {split} has {count!r} samples",
                fix=f"set dataset.source.counts.{split} to a whole number of at least 1",
            )
    return {split: counts[split] for split in NAMES if split in counts}


def check_shape(name: str, splits: Mapping[str, Split], shape: Sequence[int]) -> None:
    """Refuse, with a UserError, samples of another shape than the config's, [C, H, W] or [D]."""
    for split, content in splits.items():
        actual = content.samples.shape[1:]
        if actual != tuple(shape):
            raise UserError(
                f"dataset {name!r}: {split} samples have shape {list(actual)}, "
                f"the config says {list(shape)}",
                fix=f"set dataset.shape={str(list(actual)).replace(' ', '')}",
            )


def check_labels(name: str, splits: Mapping[str, Split], classes: int) -> None:
    """Refuse, with a UserError, labels that are none of the config's classes, 0 to classes - 1."""
    labels = [c.labels for c in splits.values() if c.labels is not None and len(c.labels)]
    low = min((int(part.min()) for part in labels), default=0)
    high = max((int(part.max()) for part in labels), default=0)
    if low < 0 or high >= classes:
        raise UserError(
            f"dataset {name!r}: labels are {low} to {high}, the config says "
            f"dataset.classes={classes}",
            fix=f"set dataset.classes={high + 1}" if low >= 0 else "number the classes from 0",
        )
