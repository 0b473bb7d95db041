"""Images whose channels are drawn apart: Metz et al. 2017 (arXiv:1611.02163), section 3.3.1.

Three digits, one a colour, make 1,000 classes that are known and countable; Srivastava et al.
2017 (arXiv:1705.07761) count how many of them a generator reaches.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from bench.core.errors import UserError
from bench.core.seeds import numpy_generator
from bench.data.split import NAMES, Split, check_shape, checked_counts

DIGITS = 10


class Source(Protocol):
    """Images of one channel, uint8 [N, 1, H, W], with labels 0 to 9, by split."""

    def splits(self) -> dict[str, Split]:
        """All of them."""

    def prepare(self) -> None:
        """Fetch what is missing."""


class Stacked:
    """Each channel of an image is an image of the single source, drawn with replacement.

    A split draws from the same split of the source, so no digit is in two of them.

    Args:
        name: the data set.
        shape: [C, H, W]; C digits are stacked.
        single: the source.
        counts: split -> number of images.
        seed: of the draws; the data set's own, not the run's.
    """

    def __init__(
        self,
        name: str,
        shape: Sequence[int],
        single: Source,
        counts: Mapping[str, int],
        seed: int,
    ) -> None:
        self.name, self.shape, self.single = name, tuple(shape), single
        self.counts, self.seed = counts, seed

    @property
    def class_probabilities(self) -> np.ndarray:
        """Of the stacked classes: uniform, as the papers take them; digits are nearly so."""
        classes = DIGITS ** self.shape[0]
        return np.full(classes, 1 / classes)

    def splits(self) -> dict[str, Split]:
        """Draw every split: uint8 [N, C, H, W], labels 100 a + 10 b + c of digits a, b, c.

        Raises:
            UserError: a split is not in the source, or its images are no labelled digits of one
                channel.
        """
        singles, splits = self.single.splits(), {}
        for split, count in checked_counts(self.name, self.counts).items():
            images, digits = self._digits(singles, split)
            # Below -3: up to there the single source, of the same seed maybe, draws its order.
            rng = numpy_generator(self.seed, "data", -4 - NAMES.index(split))
            rows = rng.integers(len(images), size=(count, self.shape[0]))
            places = DIGITS ** np.arange(self.shape[0])[::-1]
            splits[split] = Split(images[rows, 0], digits[rows] @ places)
        check_shape(self.name, splits, self.shape)
        return splits

    def prepare(self) -> None:
        """Fetch the digits, where they are not there."""
        self.single.prepare()

    def _digits(self, singles: Mapping[str, Split], split: str) -> tuple[np.ndarray, np.ndarray]:
        if split not in singles:
            raise UserError(
                f"dataset {self.name!r}: no split {split!r} to stack (there: {', '.join(singles)})",
                fix=f"remove dataset.source.counts.{split}",
            )
        images, labels = singles[split].samples, singles[split].labels
        known = labels is not None and np.isin(labels, range(DIGITS)).all()
        if labels is None or not known or images.ndim != 4 or images.shape[1] != 1:
            raise UserError(
                f"dataset {self.name!r}: to be stacked, images have one channel and labels 0 to 9; "
                f"{split} has shape {list(images.shape[1:])}",
                fix="choose another dataset.source.single",
            )
        return images, labels
