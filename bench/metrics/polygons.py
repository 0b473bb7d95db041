"""Precision, recall and F1 of generated polygons: Lucic et al. 2018 (arXiv:1711.10337), section 5.

A generated image is right if its squared Euclidean distance to the manifold of valid polygons is
at most delta; a real one is recalled if the generator's nearest image is as near. The authors
never released how they measured the first. Here the manifold is the image of unit cubes under the
data's own map, and the nearest polygon is searched: the nearest of many random ones, then
Levenberg-Marquardt (Marquardt 1963, SIAM J. Appl. Math. 11) from several of them. What is found
is a polygon, so every distance is an upper bound, and precision a lower one.
"""

from collections.abc import Callable, Sequence

import numpy as np

DIRECTIONS = {"polygon_precision": "higher", "polygon_recall": "higher", "polygon_f1": "higher"}
UNITS = {
    "polygon_precision": "share of generated samples, 0 to 1",
    "polygon_recall": "share of real samples, 0 to 1",
    "polygon_f1": "harmonic mean of polygon precision and recall, 0 to 1",
}
TITLES = {
    "polygon_precision": "polygon precision",
    "polygon_recall": "polygon recall",
    "polygon_f1": "polygon F1",
}
POSITIONS = {"polygon_precision": 230, "polygon_recall": 250, "polygon_f1": 220}
Piece = tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]
"""A unit of each parameter, [D], and the map from parameters [n, D] in [0, 1] to images [n, P]."""

CHUNK = 256  # random polygons held at once, and [M, CHUNK] distances
BLOCK = 64  # starts refined at once: their Jacobians fit a cache
DAMPING, FACTOR = 0.01, 10.0  # Marquardt 1963: lambda at the start, and nu
BOUNDS = 1e-4, 1e4  # of lambda: a polygon may have more parameters than degrees of freedom


def manifold_distance(
    images: np.ndarray,
    pieces: Sequence[Piece],
    rng: np.random.Generator,
    *,
    candidates: int,
    starts: int,
    steps: int,
    probes: Sequence[float],
) -> np.ndarray:
    """min over pieces and parameters of |x - draw(parameters)|^2, from above, [M].

    Args:
        images: pixels, [M, P].
        pieces: of the manifold: triangles and squares have different numbers of parameters.
        candidates: random polygons of each piece.
        starts: how many of them, the nearest to an image, are refined.
        steps: of the refinement.
        probes: differences in units of a parameter, taken in turn by the steps. A raster is
            piecewise constant: too small ones see nothing, too large ones miss the minimum.

    Returns:
        Never more with more starts or steps; 0 where the very image was found.

    Raises:
        ValueError: no image, no piece, a pixel that is not finite, or no effort.
    """
    images = np.asarray(images, dtype=np.float64)
    if images.ndim != 2 or not len(images) or not np.isfinite(images).all():
        raise ValueError("manifold_distance: images must be finite [M, P], one at least")
    if not pieces or not 1 <= starts <= candidates or steps < 0:
        raise ValueError(
            "manifold_distance: 1 piece, 1 start, as many candidates and 0 steps at least, found "
            f"{len(pieces)}, {starts}, {candidates} and {steps}"
        )
    if not len(probes) or min(probes) <= 0:
        raise ValueError(f"manifold_distance: probes must be above 0, found {list(probes)}")
    found = np.full(len(images), np.inf)
    for piece, stream in zip(pieces, rng.spawn(len(pieces)), strict=True):
        points = _nearest(images, piece, stream, candidates, starts).reshape(-1, len(piece[0]))
        rows = np.repeat(np.arange(len(images)), starts)
        for first in range(0, len(rows), BLOCK):
            block = slice(first, first + BLOCK)
            squares = _refined(images[rows[block]], points[block], piece, steps, probes)
            np.minimum.at(found, rows[block], squares)
    return found


def share_within(squares: np.ndarray, *, delta: float) -> float:
    """Share of squared distances that are delta at most: precision and recall both."""
    return float((squares <= delta).mean())


def f1(precision: float, recall: float) -> float:
    """2 p r / (p + r), 0 where both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _nearest(
    images: np.ndarray, piece: Piece, rng: np.random.Generator, candidates: int, starts: int
) -> np.ndarray:
    """Parameters of the random polygons nearest to each image, nearest first, [M, starts, D]."""
    unit, draw = piece
    squares = np.full((len(images), starts), np.inf)
    nearest = np.zeros((len(images), starts, len(unit)))
    for first in range(0, candidates, CHUNK):
        points = rng.random((min(CHUNK, candidates - first), len(unit)))
        drawn = draw(points)
        # |x|^2 is left out: it moves no rank
        new = np.square(drawn).sum(1) - 2 * images @ drawn.T
        few = np.argsort(new, axis=1, kind="stable")[:, :starts]
        both = np.concatenate([squares, np.take_along_axis(new, few, 1)], 1)
        where = np.concatenate([nearest, points[few]], 1)
        best = np.argsort(both, axis=1, kind="stable")[:, :starts]
        squares = np.take_along_axis(both, best, 1)
        nearest = np.take_along_axis(where, best[..., None], 1)
    return nearest


def _refined(
    images: np.ndarray, points: np.ndarray, piece: Piece, steps: int, probes: Sequence[float]
) -> np.ndarray:
    """Squared distances [B] of images [B, P] after damped Gauss-Newton steps from points [B, D].

    Steps that lead farther away are not taken. A parameter at its bound that would leave the cube
    is held for that step, so that the others move as if it did not exist.
    """
    unit, draw = piece
    drawn = draw(points)
    squares = np.square(drawn - images).sum(1)
    damping = np.full(len(points), DAMPING)
    for step in range(steps):
        jacobian = _differences(points, drawn, piece, probes[step % len(probes)])
        slope = np.einsum("bdp,bp->bd", jacobian, drawn - images)
        held = ((points <= 0) & (slope > 0)) | ((points >= 1) & (slope < 0))
        jacobian[held], slope[held] = 0, 0
        normal = jacobian @ jacobian.swapaxes(1, 2)
        normal += damping[:, None, None] * np.eye(len(unit))
        move = np.linalg.solve(normal, -slope[..., None])[..., 0]
        tried = np.clip(points + move * unit, 0, 1)
        seen = draw(tried)
        new = np.square(seen - images).sum(1)
        better = new < squares
        points = np.where(better[:, None], tried, points)
        drawn = np.where(better[:, None], seen, drawn)
        squares = np.where(better, new, squares)
        damping = np.clip(np.where(better, damping / FACTOR, damping * FACTOR), *BOUNDS)
    return squares


def _differences(points: np.ndarray, drawn: np.ndarray, piece: Piece, probe: float) -> np.ndarray:
    """Change of the image per unit of each parameter, [B, D, P], probed towards the far bound."""
    unit, draw = piece
    count, every = len(unit), np.arange(len(unit))
    side = np.where(points > 0.5, -1.0, 1.0)
    probed = np.repeat(points[:, None], count, axis=1)
    probed[:, every, every] = np.clip(points + side * probe * unit, 0, 1)
    width = (probed[:, every, every] - points) / unit
    images = draw(probed.reshape(-1, count)).reshape(*probed.shape[:2], -1)
    return (images - drawn[:, None]) / width[..., None]
