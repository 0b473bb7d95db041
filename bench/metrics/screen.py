"""Lower bounds of squared distances by one matrix product, with the room that rounding needs."""

import numpy as np


class Screen:
    """L with L <= |x - y|^2 <= L + 2 (s + t): [-2x, |x|^2 - s, 1] . [y, 1, |y|^2 - t].

    The room s = unit |x|^2, t = unit |y|^2 covers rounding. Higham 2002, Accuracy and Stability
    of Numerical Algorithms, equation 3.5: the product is off by (F + 2) u (|x|^2 + |y|^2 +
    2 |x||y|) at most, 2 |x||y| <= |x|^2 + |y|^2, u = eps / 2; its entries are rounded too, and
    so is the sum over x - y that decides near pairs.
    """

    def __init__(self, rows: np.ndarray, columns: np.ndarray, dtype: np.dtype) -> None:
        # Distances stay as they are, the terms that cancel shrink; a power of two rounds nothing.
        self.centre = columns.mean(0, dtype=np.float64)
        ends = [end for points in (rows, columns) for end in (points.min(0), points.max(0))]
        self.scale = 2.0 ** -np.frexp(np.abs(np.array(ends) - self.centre).max())[1]
        self.dtype = dtype
        self._left, self._left_room = self._side(rows, -2.0, 0)
        self._right, self._right_room = self._side(columns, 1.0, 1)

    def _side(self, points: np.ndarray, factor: float, place: int) -> tuple[np.ndarray, np.ndarray]:
        count, width = points.shape
        own, double = np.finfo(self.dtype), np.finfo(np.float64)
        unit = (width + 6) * float(own.eps) * 1.01 + (width + 4) * double.eps
        side, room = np.ones((count, width + 2), self.dtype), np.empty(count)
        for start in range(0, count, 256):
            part = slice(start, start + 256)
            scaled = (points[part] - self.centre) * self.scale
            squares = np.square(scaled).sum(1)
            room[part] = unit * squares + float(own.tiny)
            side[part, :width], side[part, width + place] = factor * scaled, squares - room[part]
        return side, room

    def lower(self, block: slice, out: np.ndarray | None = None) -> np.ndarray:
        """L [b, M], in units of scale squared, written into `out` where that is given."""
        return np.matmul(self._left[block], self._right.T, out=out)

    def compare(
        self, block: slice, bounds: np.ndarray, limit: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pairs surely below their limit, and pairs that may be or not: two masks [b, M]."""
        room = 2 * (self._left_room[block].max() + self._right_room.max())
        scaled = limit * self.scale**2
        surely = bounds < self._rounded(scaled - room, -np.inf)
        return surely, surely ^ (bounds <= self._rounded(scaled, np.inf))

    def nearest(
        self, block: slice, bounds: np.ndarray, k: int, skipped: np.ndarray | None
    ) -> np.ndarray:
        """Mask [b, M] of the k nearest columns and what may be as near."""
        if skipped is not None:
            bounds[np.arange(len(bounds)), skipped] = np.inf
        # The k-th of the minima of groups of columns has k columns below it: no full sort.
        # A group takes every n-th column, so that minima are taken between contiguous runs.
        count = bounds.shape[1]
        width = max(1, min(128, count // (8 * (k + 1))))
        whole = count - count % width
        minima = bounds[:, :whole].reshape(len(bounds), width, -1).min(1)
        minima = np.concatenate([minima, bounds[:, whole:]], axis=1)
        reach = np.partition(minima, k - 1, axis=1)[:, k - 1]
        room = 2 * (self._left_room[block] + self._right_room.max())
        return bounds <= self._rounded(reach + room, np.inf)[:, None]

    def _rounded(self, values: np.ndarray, towards: float) -> np.ndarray:
        return np.nextafter(values.astype(self.dtype), self.dtype.type(towards))
