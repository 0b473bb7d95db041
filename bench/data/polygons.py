"""Convex polygons, the study's synthetic images: Lucic et al. 2018 (arXiv:1711.10337).

The generator was published in 2019 (google/compare_gan, colabs/Convex_Polygons_Dataset.ipynb);
with its settings and one kind of polygon, this module draws the same images. Its peculiarities:

- Vertex i lies at angle i s + m/2 + U (s - m/2) of a circle, s = 360/n, m = `min_segment_angle`:
  neighbours may be as near as m/2 = 10 degrees, not m = 20; nearer than 20 are those of
  3 (1/11)^2 / 2 = 1.2 % of the triangles.
- The rotation is radians(U * 2 pi): at most 6.28 degrees. `max_rotation: 360` is a full turn.
- A pixel averages a box of subpixels that lies 3/8 pixel before it on both axes, white outside.
- White is the background; 65 grey levels; the mean pixel is about 0.865 for triangles.
- The label is the number of vertices. The study's squares are `vertices: [4]`, whose settings
  were not published.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data import prepared
from bench.data.progress import progress_bar
from bench.data.rasters import covered_subpixels, polygon_corners
from bench.data.split import Split, check_shape, validate_counts

CHUNK = 64  # polygons rasterised at once: their test points fit a cache
ORDER = ("train", "test", "validation")  # the study's rows: 60,000, then 10,000, then the hold-out
REVISION = 1  # raised when the same settings give other images, so that files are written again


@dataclass(eq=False)
class Polygons:
    """Polygons drawn on first use and saved as a prepared file, named by a hash of the settings.

    Args:
        root: folder of the prepared file; None: draw again each time.
        shape: [1, raster, raster].
        vertices: numbers of vertices, with equally many polygons of each (up to one).
        min_segment_angle: m above, degrees.
        scale: diameter of the circle as a share of the raster.
        raster: height and width, pixels.
        subpixels: number of test points of a pixel along each axis, even.
        max_rotation: degrees.
        counts: split -> number of images.
        seed: seed of numpy's legacy generator, as in the notebook; the data set's own, not the
            run's.

    Deviation: k of n grey steps is stored as k * 255 / n, rounded: off by at most 1/510.
    """

    name: str
    root: str | None
    shape: Sequence[int]
    vertices: Sequence[int]
    min_segment_angle: float
    scale: float
    raster: int
    subpixels: int
    max_rotation: float
    counts: Mapping[str, int]
    seed: int
    licence: str
    origin: str

    @property
    def geometry(self) -> dict[str, float]:
        """The settings that `polygon_corners` takes."""
        return {key: getattr(self, key) for key in ("min_segment_angle", "scale", "max_rotation")}

    def splits(self) -> dict[str, Split]:
        """Read the prepared file, or draw the images and write it: uint8 [N, 1, raster, raster].

        Raises:
            UserError: no polygon has these settings, or the prepared file is damaged or cannot be
                written.
        """
        counts = validate_counts(self.name, self.counts)
        self._check_settings()
        path = self.prepared_path()
        if path is not None and path.is_file():
            return prepared.load(path, self.name)
        images, labels = self._draw(sum(counts.values()))
        splits, start = {}, 0
        for split in (split for split in ORDER if split in counts):
            rows = slice(start, start := start + counts[split])
            splits[split] = Split(images[rows], labels[rows])
        check_shape(self.name, splits, self.shape)
        # a config that came from a file may name any folder: none is made elsewhere
        if path is not None and (
            path.parent.exists() or path.resolve().is_relative_to(Path.cwd().resolve())
        ):
            prepared.save(path, splits, name=self.name, licence=self.licence, source=self.origin)
        return splits

    def prepare(self) -> None:
        """Draw the images and write the prepared file, or check the one that exists."""
        self.splits()

    def prepared_path(self) -> Path | None:
        """Return ROOT/NAME-HASH.safetensors, with a hash of the settings; None without a root."""
        if self.root is None:
            return None
        counts = [self.counts.get(split, 0) for split in ORDER]
        size = (self.raster, self.subpixels)
        settings = [REVISION, self.vertices, self.geometry, size, counts, self.seed]
        text = json.dumps(settings, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:8]
        return prepared.prepared_path(Path(self.root), f"{self.name}-{key}")

    @property
    def manifold(self) -> Sequence[tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]]:
        """All valid polygons: for each number of vertices V, a map from a cube to images.

        Returns:
            For each V, the share of each draw's range that is one degree, [V + 1], at most 1, and
            the map from draws [n, V + 1] in [0, 1] to images in [0, 1] as stored,
            [n, raster * raster].
        """
        pieces = []
        for vertices in self.vertices:
            spread = 360 / vertices - self.min_segment_angle / 2
            degrees = np.array([spread] * vertices + [self.max_rotation])
            pieces.append((1 / degrees.clip(min=1), self._draw_pixels))
        return pieces

    def _draw_pixels(self, draws: np.ndarray) -> np.ndarray:
        """Draws [n, V + 1] -> images in [0, 1], [n, raster * raster]."""
        parts = [self._rasterise(draws[i : i + CHUNK]) for i in range(0, len(draws), CHUNK)]
        return np.concatenate(parts).reshape(len(draws), -1) / 255

    def _rasterise(self, draws: np.ndarray) -> np.ndarray:
        """Draws [n, V + 1] -> images uint8 [n, raster, raster]."""
        steps = self.subpixels**2
        greys = np.rint(255 * (steps - np.arange(steps + 1)) / steps).astype(np.uint8)
        corners = polygon_corners(draws, raster=self.raster, **self.geometry)
        return greys[covered_subpixels(corners, raster=self.raster, subpixels=self.subpixels)]

    def _draw(self, total: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw images uint8 [total, 1, raster, raster] and their numbers of vertices [total]."""
        rng = np.random.RandomState(self.seed)  # as in the notebook: its draws, in its order
        kinds = np.array_split(np.arange(total), len(self.vertices))
        draws = [rng.rand(len(rows), n + 1) for rows, n in zip(kinds, self.vertices, strict=True)]
        places = np.argsort(rng.permutation(total))

        images = np.empty((total, 1, self.raster, self.raster), np.uint8)
        labels = np.empty(total, np.int64)
        with progress_bar(what=self.name, unit=" images", total=total) as bar:
            for rows, kind in zip(kinds, draws, strict=True):
                labels[places[rows]] = kind.shape[1] - 1
                for start in range(0, len(rows), CHUNK):
                    rasters = self._rasterise(kind[start : start + CHUNK])
                    images[places[rows[start : start + CHUNK]], 0] = rasters
                    bar.update(len(rasters))
        return images, labels

    def _check_settings(self) -> None:
        """Refuse settings that no polygon can have."""
        fits = 0 <= self.min_segment_angle <= 360 / max(self.vertices, default=3)
        checks = [
            (not self.vertices or min(self.vertices) < 3, "vertices", "3 or more each"),
            (not fits, "min_segment_angle", "0 to 360/n"),
            (not 0 < self.scale <= 1, "scale", "above 0, up to 1"),
            (self.subpixels < 2 or self.subpixels % 2 == 1, "subpixels", "even"),
        ]
        for is_wrong, setting, allowed in checks:
            if is_wrong:
                raise UserError(
                    f"dataset {self.name!r}: no polygon has these settings ({setting})",
                    fix=f"set dataset.source.{setting} to {allowed}",
                )
