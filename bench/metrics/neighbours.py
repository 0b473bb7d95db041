"""Distances between feature sets, a block of rows at a time, with exact comparisons.

|x - y|^2 = |x|^2 + |y|^2 - 2 x.y is as fast as a matrix product, and wrong by its rounding: a
point's own k-th neighbour falls on either side of the sphere through it, on another side in
another block. What lies that close to a threshold is therefore computed again from x - y, which
gives the same number for a pair wherever it stands: results do not depend on order or blocks.
"""

from collections.abc import Iterator

import numpy as np


class Distances:
    """Squared distances from rows [N, F] to columns [M, F], both float64.

    Args:
        rows, columns: the two sets; the same object for distances within a set.
        max_bytes: size of a block; about three of them live at once.
    """

    def __init__(self, rows: np.ndarray, columns: np.ndarray, *, max_bytes: int) -> None:
        self.rows, self.columns = rows, columns
        centre = columns.mean(0)  # distances stay as they are, the terms that cancel shrink
        self._rows, self._columns = rows - centre, columns - centre
        self._row_squares = np.square(self._rows).sum(1)
        self._column_squares = np.square(self._columns).sum(1)
        # Higham 2002, Accuracy and Stability of Numerical Algorithms, equation 3.5: three sums of
        # F products, each |x||y| <= (|x|^2 + |y|^2) / 2 at most.
        unit = 2 * (rows.shape[1] + 3) * np.finfo(float).eps
        self._error = unit * (self._row_squares + self._column_squares.max())
        self._height = max(1, max_bytes // (8 * len(columns)))
        self._pairs = max(1, max_bytes // (8 * rows.shape[1]))

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows as a slice, and their squared distances [b, M] to all columns, up to rounding."""
        for start in range(0, len(self.rows), self._height):
            block = slice(start, min(start + self._height, len(self.rows)))
            squares = self._rows[block] @ self._columns.T
            squares *= -2
            squares += self._row_squares[block, None]
            squares += self._column_squares
            yield block, squares

    def below(
        self, block: slice, squares: np.ndarray, limit: np.ndarray, *, strict: bool
    ) -> np.ndarray:
        """Whether a squared distance is below its limit: bool [b, M].

        Args:
            block, squares: as `blocks` gave them.
            limit: squared radius, [b, 1] of the rows or [1, M] of the columns.
            strict: true for <, false for <=.
        """
        compare = np.less if strict else np.less_equal
        result = compare(squares, limit)
        doubtful = np.abs(squares - limit) <= self._error[block, None]
        row, column = np.nonzero(doubtful)
        limits = np.broadcast_to(limit, squares.shape)[row, column]
        result[row, column] = compare(self._exact(row + block.start, column), limits)
        return result

    def kth(self, k: int) -> np.ndarray:
        """Squared distance [N] of each row to its k-th nearest other row, counted from 1.

        Two equal points are each other's neighbours at distance 0; no point is its own.
        """
        found = np.empty(len(self.rows))
        for block, squares in self.blocks():
            here = np.arange(len(squares))
            squares[here, here + block.start] = np.inf
            limit = np.partition(squares, k - 1, axis=1)[:, k - 1] + 2 * self._error[block]
            row, column = np.nonzero(squares <= limit[:, None])  # the k nearest and their ties
            exact = self._exact(row + block.start, column)
            exact = exact[np.lexsort((exact, row))]
            found[block] = exact[np.searchsorted(row, here) + k - 1]
        return found

    def _exact(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        squares = np.empty(len(row))
        for start in range(0, len(row), self._pairs):
            part = slice(start, start + self._pairs)
            squares[part] = np.square(self.rows[row[part]] - self.columns[column[part]]).sum(1)
        return squares
