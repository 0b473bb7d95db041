"""Nearest neighbours and balls between feature sets, a block of rows at a time, exactly.

A matrix product in float32 gives lower bounds of all squared distances; most pairs lie clearly on
one side of a threshold. What lies within the rounding error of it is computed again from x - y,
which gives the same number for a pair wherever it stands: results do not depend on order or
blocks. Where too many are left (tight clusters far from each other) float64 screens once more.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from bench.metrics.screen import Screen


def floats(points: np.ndarray) -> np.ndarray:
    """Keep points of float32 or float64 as they are; convert others to float64."""
    points = np.asarray(points)
    return points if points.dtype == np.float32 else points.astype(np.float64, copy=False)


def distinct(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First places [U], ascending, of the different rows of [N, F], and how often each occurs."""
    rows = np.ascontiguousarray(points + 0.0)  # -0.0 becomes 0.0
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    order = first.argsort()
    return first[order], counts[order]


class Distances:
    """Squared distances from rows [N, F] to columns [M, F], both float32 or float64, finite.

    Args:
        rows, columns: the two sets; they are kept, not copied.
        max_bytes: bound on what a block takes, beside a copy of the sets in float32, or float64
            where that is too coarse.
    """

    def __init__(self, rows: np.ndarray, columns: np.ndarray, *, max_bytes: int) -> None:
        self.rows, self.columns = rows, columns
        # A pair takes 4 or 8 bytes and two masks, and 16 for its indices where it is near.
        self._height = max(1, max_bytes // (16 * len(columns)))
        # Cache holds one megabyte; a larger piece is slower.
        self._pairs = max(1, min(max_bytes, 2**20) // (8 * rows.shape[1]))
        self._single = Screen(rows, columns, np.dtype(np.float32))

    @cached_property
    def _double(self) -> Screen:
        return Screen(self.rows, self.columns, np.dtype(np.float64))

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows as a slice, and the bounds [b, M] of their distances that `below` takes.

        Bounds are valid until the next block, which is written over them: fresh memory would take
        as long as the product.
        """
        height = min(self._height, len(self.rows))
        bounds = np.empty((height, len(self.columns)), np.float32)
        for start in range(0, len(self.rows), height):
            block = slice(start, min(start + height, len(self.rows)))
            yield block, self._single.lower(block, bounds[: block.stop - start])

    def below(
        self, block: slice, bounds: np.ndarray, limit: np.ndarray, *, strict: bool
    ) -> np.ndarray:
        """Whether a squared distance is below its limit: bool [b, M].

        Args:
            block, bounds: as `blocks` gave them.
            limit: squared radius, [b, 1] of the rows or [1, M] of the columns.
            strict: true for <, false for <=.
        """
        result, near = self._single.compare(block, bounds, limit)
        if _many(near):
            result, near = self._double.compare(block, self._double.lower(block), limit)
        row, column = _places(near)
        limits = np.broadcast_to(limit, result.shape)[row, column]
        squares = self._exact(row + block.start, column)
        result[row, column] = (np.less if strict else np.less_equal)(squares, limits)
        return result

    def nearest(self, k: int, *, ignore: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Columns [N, k] nearest to each row and their squared distances, in ascending order.

        Of equally near columns the first come first.

        Args:
            k: how many, at most M, or M - 1 with `ignore`.
            ignore: a column [N] that is no neighbour of the row, itself say.
        """
        columns, squares = np.empty((len(self.rows), k), np.intp), np.empty((len(self.rows), k))
        for block, bounds in self.blocks():
            skipped = None if ignore is None else ignore[block]
            near = self._single.nearest(block, bounds, k, skipped)
            if _many(near):
                near = self._double.nearest(block, self._double.lower(block), k, skipped)
            row, column = _places(near)
            exact = self._exact(row + block.start, column)
            order = np.lexsort((exact, row))  # stable: equally near columns stay in order
            chosen = order[np.searchsorted(row, np.arange(len(near)))[:, None] + np.arange(k)]
            columns[block], squares[block] = column[chosen], exact[chosen]
        return columns, squares

    def _exact(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        squares = np.empty(len(row))
        for start in range(0, len(row), self._pairs):
            part = slice(start, start + self._pairs)
            difference = self.rows[row[part]].astype(np.float64)
            difference -= self.columns[column[part]]
            squares[part] = np.square(difference, out=difference).sum(1)
        return squares


def _many(near: np.ndarray) -> bool:
    """Whether x - y of these pairs would cost more than all in one product in float64."""
    return bool(np.count_nonzero(near) > near.size / 50)


def _places(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """np.nonzero of [b, M], several times as fast."""
    row, column = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return row, column
