"""A data set of samples of a toy density (see `densities`), and the centres of its modes.

A sample is of high quality when it lies within some standard deviations of the nearest mode's
centre (three in Srivastava et al. 2017, arXiv:1705.07761, and Lin et al. 2018, arXiv:1712.04086);
`Modes` passes centres and radius to the metric.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.core.seeds import numpy_generator
from bench.data.split import NAMES, Split, check_shape, validate_counts


@dataclass(frozen=True)
class Modes:
    """Centres of a density's modes, float64 [K, D], and the radius of high quality."""

    centres: np.ndarray
    radius: float


class Distribution(Protocol):
    """A density that can be sampled; `modes` is None where it has no separate ones."""

    modes: Modes | None

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw points [count, D] and labels int64 [count], or None."""


@dataclass(eq=False)
class Points:
    """Samples of one distribution; every split is drawn from a random stream of its own.

    Args:
        shape: [D].
        counts: split -> number of samples.
        seed: the data set's own, not the run's: runs of different seeds train on the same data.
    """

    name: str
    shape: Sequence[int]
    distribution: Distribution
    counts: Mapping[str, int]
    seed: int

    @property
    def modes(self) -> Modes | None:
        """The distribution's modes."""
        return self.distribution.modes

    def splits(self) -> dict[str, Split]:
        """Draw every split: float32 [N, D], labels where the distribution has them.

        Raises:
            UserError: a count is not positive, or the shape is not the distribution's.
        """
        splits = {}
        for split, count in validate_counts(self.name, self.counts).items():
            # Negative indices: a run of the same seed shuffles with 0, 1, 2 ...
            rng = numpy_generator(self.seed, "data", -1 - NAMES.index(split))
            samples, labels = self.distribution.sample(count, rng)
            splits[split] = Split(samples.astype(np.float32), labels)
        check_shape(self.name, splits, self.shape)
        return splits

    def prepare(self) -> None:
        """Do nothing: the points are drawn when they are needed."""
