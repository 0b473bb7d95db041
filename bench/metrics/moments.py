"""Mean and covariance in one pass over blocks of rows, and of parts that are put together.

Chan, Golub and LeVeque 1983 (Am. Stat. 37, 242), equations 2.1: each part is centred at its own
mean, so that large means cancel nothing. Sums of x and x x^T would lose what the mean exceeds.
"""

from dataclasses import dataclass

import numpy as np

BLOCK_BYTES = 2**26  # of rows in float64 at a time: 4096 rows of 2048 features


@dataclass(frozen=True)
class Moments:
    """Number, mean and scatter of N rows [N, F]; those of no row have count 0.

    Args:
        count: N.
        mean: [F], float64.
        scatter: [F, F], float64: sum of (x - mean) (x - mean)^T.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, chosen: np.ndarray | None = None) -> "Moments":
        """Compute moments of rows [N, F] of any float type; never all in float64 at once.

        Args:
            chosen: indices of the rows to take; None for all.

        Raises:
            ValueError: no matrix, or an entry is not finite.
        """
        features = np.asarray(features)
        if features.ndim != 2:
            raise ValueError(f"moments: rows [N, F], found shape {features.shape}")
        count, width = len(features) if chosen is None else len(chosen), features.shape[1]
        height = max(1, BLOCK_BYTES // (8 * max(1, width)))
        whole = cls(0, np.zeros(width), np.zeros((width, width)))
        for start in range(0, count, height):
            block = slice(start, min(start + height, count))
            rows = features[block if chosen is None else chosen[block]].astype(np.float64)
            if not np.isfinite(rows).all():
                row = start + np.flatnonzero(~np.isfinite(rows).all(1))[0]
                raise ValueError(f"moments: features hold NaN or infinity, first in row {row}")
            mean = rows.mean(0)
            rows -= mean
            whole = whole.merge(cls(len(rows), mean, rows.T @ rows))
        return whole

    def merge(self, other: "Moments") -> "Moments":
        """Moments of the rows of both, of one width, else ValueError.

        To rounding, neither order nor grouping matters.
        """
        if self.mean.shape != other.mean.shape:
            raise ValueError(f"moments: widths {len(self.mean)} and {len(other.mean)} differ")
        if not self.count or not other.count:
            return self if self.count else other
        count, apart = self.count + other.count, other.mean - self.mean
        scatter = np.outer(apart, apart * (self.count * other.count / count))
        scatter += self.scatter
        scatter += other.scatter
        return Moments(count, self.mean + apart * (other.count / count), scatter)

    @property
    def covariance(self) -> np.ndarray:
        """[F, F], divided by N - 1; ValueError for fewer than two rows."""
        if self.count < 2:
            raise ValueError(f"moments: a covariance needs two rows, found {self.count}")
        return self.scatter / (self.count - 1)


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [F] and covariance [F, F], divided by N - 1, of features [N, F], in float64.

    Raises:
        ValueError: fewer than two samples, or an entry is not finite.
    """
    found = Moments.of(features)
    return found.mean, found.covariance
