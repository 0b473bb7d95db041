"""Images whose channels are drawn independently: Metz et al. 2017 (arXiv:1611.02163), 3.3.1.

Three digits, one per colour, make 1,000 classes that are known and countable; Srivastava et al.
2017 (arXiv:1705.07761) count how many of them a generator reaches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.core.errors import UserError
from bench.core.seeds import numpy_generator
from bench.data.split import NAMES, Split, check_shape, validate_counts

DIGITS = 10


class Source(Protocol):
    """Images of one channel, uint8 [N, 1, H, W], with labels 0 to 9, by split."""

    def splits(self) -> dict[str, Split]:
        """Return the images by split."""

    def prepare(self) -> None:
        """Download what is missing."""


@dataclass(eq=False)
class Stacked:
    """Images each channel of which is an image of the single source, drawn with replacement.

    A split draws from the same split of the source, so that no digit is in two splits.

    Args:
        shape: [C, H, W]; C digits are stacked.
        single: source of the single digits.
        counts: split -> number of images.
        seed: seed of the draws; the data set's own, not the run's.
    """

    name: str
    shape: Sequence[int]
    single: Source
    counts: Mapping[str, int]
    seed: int

    @property
    def class_probabilities(self) -> np.ndarray:
        """Probabilities of the stacked classes: uniform, as in the papers; digits are nearly so."""
        classes = DIGITS ** self.shape[0]
        return np.full(classes, 1 / classes)

    def splits(self) -> dict[str, Split]:
        """Draw every split: uint8 [N, C, H, W], labels 100 a + 10 b + c of digits a, b, c.

        Raises:
            UserError: a split is not in the source, or its images are no labelled digits of one
                channel.
        """
        singles, splits = self.single.splits(), {}
        for split, count in validate_counts(self.name, self.counts).items():
            images, digits = self._digits(singles, split)
            # Below -3: the single source, perhaps with the same seed, uses the indices -1 to -3.
            rng = numpy_generator(self.seed, "data", -4 - NAMES.index(split))
            rows = rng.integers(len(images), size=(count, self.shape[0]))
            places = DIGITS ** np.arange(self.shape[0])[::-1]
            splits[split] = Split(images[rows, 0], digits[rows] @ places)
        check_shape(self.name, splits, self.shape)
        return splits

    def prepare(self) -> None:
        """Download the single digits, where they are missing."""
        self.single.prepare()

    def _digits(self, singles: Mapping[str, Split], split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of a split of the source, checked."""
        if split not in singles:
            raise UserError(
                f"dataset {self.name!r}: no split {split!r} to stack (there: {', '.join(singles)})",
                fix=f"remove dataset.source.counts.{split}",
            )
        images, labels = singles[split].samples, singles[split].labels
        are_digits = labels is not None and np.isin(labels, range(DIGITS)).all()
        if labels is None or not are_digits or images.ndim != 4 or images.shape[1] != 1:
            raise UserError(
                f"dataset {self.name!r}: only images of one channel with labels 0 to 9 can be "
                f"stacked; {split} has shape {list(images.shape[1:])}",
                fix="choose another dataset.source.single",
            )
        return images, labels
