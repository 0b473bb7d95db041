import hashlib

import numpy as np
import pytest

from bench.core.errors import UserError
from bench.data.polygons import Polygons
from bench.data.rasters import covered_subpixels, polygon_corners

FAITHFUL = 2 * np.pi  # degrees
SETTINGS = {"min_segment_angle": 20, "scale": 0.75, "raster": 28}


def source(vertices=(3,), *, root=None, counts=None, max_rotation=FAITHFUL, seed=0, **settings):
    return Polygons(
        name="shapes",
        root=None if root is None else str(root),
        shape=[1, 28, 28],
        vertices=list(vertices),
        subpixels=settings.pop("subpixels", 8),
        max_rotation=max_rotation,
        counts=counts or {"train": 60, "test": 30, "validation": 10},
        seed=seed,
        licence="free",
        origin="drawn",
        **SETTINGS | settings,
    )


def rows(splits):
    return np.concatenate([splits[split].samples for split in ("train", "test", "validation")])


def draws(count, vertices):
    return np.random.Generator(np.random.PCG64(vertices)).random((count, vertices + 1))


@pytest.mark.parametrize(
    ("vertices", "digest"),
    [
        (3, "3a34708339af4992fc4d42d51476a8f771d26dc2b041ba604397725d534d7c6f"),
        (4, "9280d1cc54bd36898b54dd496a898a32a0621b87cbbb9fd960d1783b111816fd"),
        (6, "16d641e3ce437796ea8c0411fee805431639ecf9e96dc00aceba821d07549750"),
    ],
)
def test_images_are_those_of_the_published_notebook(vertices, digest):
    """SHA-256 of 64 times the notebook's own 100 images, seed 0, as bytes."""
    images = rows(source([vertices]).splits())[:, 0]
    levels = np.rint(images * (64 / 255)).astype(np.uint8)
    np.testing.assert_array_equal(images, np.rint(levels * (255 / 64)))
    assert hashlib.sha256(levels.tobytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("vertices", "mean", "black"), [(3, 0.866, 0.10), (4, 0.762, 0.20), (6, 0.657, 0.30)]
)
def test_known_statistics(vertices, mean, black):
    images = source([vertices], counts={"train": 4000, "test": 1}).splits()["train"].samples
    assert images.mean() / 255 == pytest.approx(mean, abs=0.003)
    assert (images == 0).mean() == pytest.approx(black, abs=0.01)
    assert len(np.unique(images)) == 65
    assert images.max() == 255


@pytest.mark.parametrize("vertices", [3, 4, 5, 6])
def test_covered_subpixels_count_the_area(vertices):
    """Shoelace formula; the count of points errs by a share of the edge, 63 subpixels at most."""
    corners = polygon_corners(draws(200, vertices), **SETTINGS, max_rotation=360)
    corners = (corners - 14) * 0.6 + 14  # wholly inside, so that nothing is cut off
    x, y = corners[..., 0], corners[..., 1]
    area = np.sum(x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1), axis=1) / 2
    assert (area > 0).all()  # anticlockwise
    covered = covered_subpixels(corners, raster=28, subpixels=8).sum((1, 2)) / 64
    assert np.abs(covered - area).max() < 1.0
    assert (covered - area).mean() == pytest.approx(0, abs=0.05)


def test_a_pixel_averages_the_box_three_eighths_before_it():
    """Points -3 to 4 of rows and columns: half-plane row < 10.3 covers 6 of 8 rows of pixel 10."""
    square = np.array([[[-99.0, -99.0], [10.3, -99.0], [10.3, 99.0], [-99.0, 99.0]]])
    covered = covered_subpixels(square, raster=28, subpixels=8)[0]
    # rows 77 to 84 of the test points belong to pixel 10; 10.3 * 8 = 82.4
    assert covered[9:12, 5].tolist() == [64, 6 * 8, 0]
    # nothing outside the raster is covered: of pixel 0's 8 points a side 3 lie there
    assert covered[0, 5] == 5 * 8
    assert covered[5, 0] == 8 * 5
    assert covered[0, 0] == 5 * 5


@pytest.mark.parametrize("vertices", [3, 4, 5, 6])
def test_neighbouring_vertices_are_at_least_half_the_minimum_apart(vertices):
    corners = polygon_corners(draws(20_000, vertices), **SETTINGS, max_rotation=0)
    angles = circle_angles(draws(20_000, vertices), vertices)
    gaps = np.diff(angles, axis=1, append=angles[:, :1] + 360)
    assert gaps.min() > 10
    sides = np.linalg.norm(np.roll(corners, -1, 1) - corners, axis=2)
    np.testing.assert_allclose(sides, 21 * np.sin(np.radians(gaps) / 2))  # chords of diameter 21


def circle_angles(uniform, vertices):
    """Degrees, by the formula of the module's docstring."""
    step = 360 / vertices
    return np.arange(vertices) * step + 10 + uniform[:, :-1] * (step - 10)


def test_the_nearest_triangles_are_one_in_eighty():
    """P(a gap below 20) = 3 P(110 (U - V) > 100) = 3 (1/11)^2 / 2 = 0.0124."""
    corners = polygon_corners(draws(40_000, 3), **SETTINGS, max_rotation=0)
    sides = np.linalg.norm(np.roll(corners, -1, 1) - corners, axis=2)
    near = (sides.min(1) < 21 * np.sin(np.radians(10))).mean()
    assert near == pytest.approx(0.0124, abs=5 * np.sqrt(0.0124 / 40_000))


@pytest.mark.parametrize(("max_rotation", "mean"), [(FAITHFUL, np.pi), (360.0, 180.0)])
def test_rotation_is_uniform_up_to_its_bound(max_rotation, mean):
    uniform = draws(20_000, 3)
    still = polygon_corners(uniform, **SETTINGS, max_rotation=0) - 14
    turned = polygon_corners(uniform, **SETTINGS, max_rotation=max_rotation) - 14
    complex_still, complex_turned = (c[..., 0] + 1j * c[..., 1] for c in (still, turned))
    turns = np.degrees(np.angle(complex_still / complex_turned)) % 360
    np.testing.assert_allclose(turns, turns[:, :1].repeat(3, 1), atol=1e-6)  # all corners alike
    assert turns[:, 0].max() <= max_rotation + 1e-9
    assert turns[:, 0].max() > 0.999 * max_rotation
    assert turns[:, 0].mean() == pytest.approx(mean, abs=5 * max_rotation / np.sqrt(12 * 20_000))


def test_corners_lie_about_the_middle():
    corners = polygon_corners(draws(100, 5), **SETTINGS, max_rotation=360)
    np.testing.assert_allclose(corners.mean(1), 14)


def test_every_kind_of_polygon_is_as_frequent_and_labelled():
    splits = source([3, 4, 5, 6]).splits()
    labels = np.concatenate([content.labels for content in splits.values()])
    assert np.bincount(labels).tolist() == [0, 0, 0, 25, 25, 25, 25]
    assert {split: len(content.labels) for split, content in splits.items()} == {
        "train": 60,
        "test": 30,
        "validation": 10,
    }
    assert len(np.unique(splits["train"].labels)) == 4  # shuffled before they are dealt
    # the mean pixel falls with the number of vertices: each label has its own images
    dark = [255 - rows(splits)[labels == n].mean() for n in (3, 4, 5, 6)]
    assert dark == sorted(dark)


def test_the_drawn_images_are_kept_and_read(tmp_path):
    shapes = source(root=tmp_path)
    drawn = shapes.splits()
    path = shapes.prepared_path()
    written = path.stat().st_mtime_ns
    np.testing.assert_array_equal(rows(shapes.splits()), rows(drawn))
    shapes.prepare()
    assert path.stat().st_mtime_ns == written
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="is damaged"):
        shapes.splits()


def test_other_settings_are_another_file(tmp_path):
    others = [
        source(root=tmp_path),
        source([4], root=tmp_path),
        source(root=tmp_path, max_rotation=360.0),
        source(root=tmp_path, seed=1),
        source(root=tmp_path, scale=0.5),
        source(root=tmp_path, counts={"train": 60, "test": 40}),
    ]
    assert len({shapes.prepared_path() for shapes in others}) == len(others)
    assert source().prepared_path() is None


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"vertices": [2]}, "vertices"),
        ({"vertices": []}, "vertices"),
        ({"min_segment_angle": 121}, "min_segment_angle"),
        ({"vertices": [6], "min_segment_angle": 61}, "min_segment_angle"),
        ({"scale": 0.0}, "scale"),
        ({"scale": 1.1}, "scale"),
        ({"subpixels": 7}, "subpixels"),
    ],
)
def test_settings_without_polygons_are_one_sentence(settings, named):
    with pytest.raises(UserError, match=rf"\({named}\)"):
        source(**settings).splits()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        source(root=tmp_path / "file").splits()


@pytest.mark.parametrize(("vertices", "seed"), [([3], 0), ([6], 0)])
def test_the_manifold_is_drawn_by_the_data_s_own_map(vertices, seed):
    """The images that are stored, from the draws that the notebook makes."""
    shapes = source(vertices, seed=seed)
    uniform = np.random.RandomState(seed)
    draws = uniform.rand(100, vertices[0] + 1)
    order = uniform.permutation(100)
    ((unit, draw),) = shapes.manifold
    stored = np.concatenate([shapes.splits()[s].samples for s in ("train", "test", "validation")])
    np.testing.assert_array_equal(draw(draws)[order], stored.reshape(100, -1) / 255)
    assert unit.shape == (vertices[0] + 1,)


@pytest.mark.parametrize("max_rotation", [0.0, 0.5, FAITHFUL, 360.0])
def test_units_of_the_manifold_are_degrees(max_rotation):
    """One unit of a draw turns its vertex, or all of them, by one degree; at most all of it."""
    shapes = source([3, 5], max_rotation=max_rotation)
    assert [len(unit) for unit, _ in shapes.manifold] == [4, 6]
    for vertices, (unit, _) in zip((3, 5), shapes.manifold, strict=True):
        before, after = np.zeros((1, vertices + 1)), np.diag(unit)
        geometry = SETTINGS | {"max_rotation": max_rotation}
        chords = [polygon_corners(d, **geometry) for d in (before, after)]
        about = [c[..., 0] + 1j * c[..., 1] for c in chords]
        sides = [np.roll(c, -1, 1) - c for c in about]
        turned = np.degrees(np.angle(sides[1][-1] / sides[0][0]))
        np.testing.assert_allclose(turned, -min(max_rotation, 1.0), atol=1e-9)
        spread = 360 / vertices - 10
        np.testing.assert_allclose(unit, [*[1 / spread] * vertices, 1 / max(max_rotation, 1)])


def test_the_whole_cube_is_on_the_manifold():
    """Faces and corners too: in [0, 1], none empty, slivers without a black pixel among them."""
    for vertices, (_, draw) in zip((3, 4), source([3, 4]).manifold, strict=True):
        corners = np.indices((2,) * (vertices + 1)).reshape(vertices + 1, -1).T.astype(float)
        images = draw(corners)
        assert images.shape == (2 ** (vertices + 1), 784)
        assert images.min() == 0 and images.max() == 1
        assert (images.min(1) < 0.5).all()
