"""Scikit-learn's digits: 1,797 images of 8 x 8 pixels, part of the package: no file is needed.

They are the test part of Alpaydin and Kaynak's Optical Recognition of Handwritten Digits (1998,
UCI): counts of black pixels in 4 x 4 cells of a 32 x 32 bitmap, so 0 to 16.
"""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.core.seeds import numpy_generator
from bench.data.split import Split, check_shape, validate_counts

LEVELS = 16


@dataclass(eq=False)
class Digits:
    """The digits in a fixed random order: the file has them sorted by writer.

    Args:
        root: unused; accepted because every data set has `dataset.root`.
        shape: [1, 8, 8].
        counts: split -> number of images.
        seed: seed of the order; the data set's own, not the run's.

    Deviation: grey level k of 0 to 16 is stored as k * 255 / 16, rounded: off by at most 1/510.
    """

    name: str
    root: str | None
    shape: Sequence[int]
    counts: Mapping[str, int]
    seed: int

    def splits(self) -> dict[str, Split]:
        """Divide the images among the splits: uint8 [N, 1, 8, 8], labels 0 to 9.

        Raises:
            UserError: the counts ask for more images than there are.
        """
        counts = validate_counts(self.name, self.counts)
        pixels, labels = _read_digits()
        if sum(counts.values()) > len(labels):
            raise UserError(
                f"dataset {self.name!r}: {sum(counts.values())} images asked for, "
                f"{len(labels)} exist",
                fix="lower dataset.source.counts",
            )
        images = np.rint(pixels * (255 / LEVELS)).astype(np.uint8)[:, None]
        order = numpy_generator(self.seed, "data", -1).permutation(len(images))
        ends = np.cumsum(list(counts.values()))
        parts = zip(counts, np.split(order, ends), strict=False)  # the remaining images are unused
        splits = {split: Split(images[rows], labels[rows]) for split, rows in parts}
        check_shape(self.name, splits, self.shape)
        return splits

    def prepare(self) -> None:
        """Do nothing: the images are part of scikit-learn."""


def _read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Read grey levels 0 to 16 [1797, 8, 8] and labels [1797] from scikit-learn's file.

    `sklearn.datasets.load_digits` reads it too, after a second of imports.
    """
    spec = find_spec("sklearn")  # which imports nothing
    assert spec is not None and spec.origin is not None
    with gzip.open(Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
