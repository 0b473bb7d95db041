"""Points on a half circle with noise."""

from collections.abc import Mapping

import numpy as np

from bench.data.split import Split


class Crescent:
    """Points (cos t, sin t) with t uniform in [0, pi], and Gaussian noise.

    Args:
        counts: split -> number of points.
        noise: standard deviation of the noise.
    """

    def __init__(self, counts: Mapping[str, int], noise: float) -> None:
        self.counts, self.noise = counts, noise

    def splits(self) -> dict[str, Split]:
        """Draw each split from a seed of its own; a stored config has its keys in another order."""
        splits = {}
        for seed, (name, count) in enumerate(sorted(self.counts.items())):
            rng = np.random.default_rng(seed)
            angles = rng.uniform(0, np.pi, count)
            points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
            points += self.noise * rng.standard_normal((count, 2))
            splits[name] = Split(points.astype(np.float32), None)
        return splits

    def prepare(self) -> None:
        """Do nothing: the points are drawn when they are needed."""
