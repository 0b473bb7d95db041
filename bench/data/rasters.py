"""Corners of convex polygons from uniform draws, and their coverage of pixels, for `polygons`."""

import numpy as np


def polygon_corners(
    draws: np.ndarray, *, min_segment_angle: float, scale: float, raster: int, max_rotation: float
) -> np.ndarray:
    """Place corners on a circle of diameter scale * raster, rotated, their mean at the centre.

    Args:
        draws: uniform in [0, 1), [N, V + 1]: one for each vertex, then one for the rotation.
        min_segment_angle: m, degrees; vertex i lies at i s + m/2 + U (s - m/2), s = 360/V.
        scale: diameter of the circle as a share of the raster.
        raster: height and width, pixels.
        max_rotation: degrees.

    Returns:
        Pixel coordinates (row, column) in order of the angle, [N, V, 2].
    """
    vertices = draws.shape[1] - 1
    segment = 360 / vertices
    spread = segment - min_segment_angle / 2
    starts = segment * np.arange(vertices) + min_segment_angle / 2
    angles = np.radians(starts + spread * draws[:, :-1])
    # Rotating the corners changes their angles (clockwise, as in the notebook), up to a shift.
    angles = angles - np.radians(max_rotation * draws[:, -1:])
    corners = scale * raster / 2 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return corners - corners.mean(1, keepdims=True) + raster / 2


def covered_subpixels(corners: np.ndarray, *, raster: int, subpixels: int) -> np.ndarray:
    """Count how many of a pixel's r x r test points lie inside the polygon.

    Pixel k is tested at the multiples of 1/r from k - (r/2 - 1)/r to k + (r/2)/r on both axes: the
    window of an even box filter, which is not centred on the pixel. Nothing outside the raster
    counts as inside. A convex polygon meets each row of test points in one interval, so that
    points are counted, not tested.

    Args:
        corners: anticlockwise in (row, column), pixels, [N, V, 2].
        raster: height and width, pixels.
        subpixels: r, even.

    Returns:
        0 to r * r, int16 [N, raster, raster].
    """
    r, before = subpixels, subpixels // 2 - 1
    rows = np.arange(-before, raster * r - before)  # those outside the raster stay empty
    low, high = _row_intervals(corners * r, rows.astype(np.float64))
    end = raster * r - 1
    first = np.clip(np.floor(low) + 1, 0, end + 1).astype(np.int16)
    last = np.clip(np.ceil(high) - 1, -1, end).astype(np.int16)
    last[:, rows < 0] = -1
    starts = (r * np.arange(raster) - before).astype(np.int16)
    counts = np.minimum(last[..., None], starts + np.int16(r - 1))
    counts -= np.maximum(first[..., None], starts)
    counts += np.int16(1)
    np.maximum(counts, 0, out=counts)  # [N, raster * r, raster]
    return counts.reshape(len(corners), raster, r, raster).sum(2, dtype=np.int16)


def _row_intervals(corners: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high end of the columns inside, open, [N, rows] each; empty: low >= high."""
    low = np.full((len(corners), len(rows)), -np.inf)
    high = np.full((len(corners), len(rows)), np.inf)
    edges = np.roll(corners, -1, axis=1) - corners
    for corner, edge in zip(corners.swapaxes(0, 1), edges.swapaxes(0, 1), strict=True):
        down, along = edge[:, :1], edge[:, 1:]
        down = np.where(down == 0, np.finfo(float).tiny, down)  # an edge along a row
        # inside: down * (column - c) - along * (row - r) > 0
        with np.errstate(over="ignore"):
            crossing = corner[:, 1:] + along / down * (rows - corner[:, :1])
        np.maximum(low, np.where(down > 0, crossing, -np.inf), out=low)
        np.minimum(high, np.where(down < 0, crossing, np.inf), out=high)
    return low, high
