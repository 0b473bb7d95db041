"""Distance to the manifold of polygons: closed forms, scipy's bounded least squares, real ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from bench.data.polygons import Polygons
from bench.data.rasters import covered_subpixels, polygon_corners
from bench.metrics.polygons import f1, manifold_distance, share_within

NOTEBOOK, FULL = 2 * np.pi, 360.0  # degrees of rotation
QUICK = {"candidates": 2048, "starts": 3, "steps": 12, "probes": [2.0, 1.0, 0.5]}
STUDY = {"candidates": 16384, "starts": 8, "steps": 20, "probes": [2.0, 1.0, 0.5]}
SMOOTH = {"candidates": 64, "starts": 2, "steps": 40, "probes": [1e-6]}
DELTA = 0.75


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def source(vertices=(3,), *, max_rotation=NOTEBOOK, test=30, seed=1):
    return Polygons(
        name="shapes",
        root=None,
        shape=[1, 28, 28],
        vertices=list(vertices),
        min_segment_angle=20,
        scale=0.75,
        raster=28,
        subpixels=8,
        max_rotation=max_rotation,
        counts={"train": 1, "test": test},
        seed=seed,
        licence="free",
        origin="drawn",
    )


def drawn(shapes):
    return shapes.splits()["test"].samples.reshape(shapes.counts["test"], -1) / 255


def linear(matrix, offset):
    """A piece whose images are offset + parameters @ matrix."""
    return np.ones(len(matrix)), lambda parameters: offset + parameters @ matrix


def circle(parameters):
    angles = 2 * np.pi * parameters[:, 0]
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def residual(matrix, offset, image):
    """scipy's bounded least squares: |A p - (x - b)|^2 with p in the unit cube."""
    return 2 * lsq_linear(matrix.T, image - offset, bounds=(0, 1), tol=1e-14).cost


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.3, 1.0, 4.0]),
    probe=st.sampled_from([1e-6, 2.0]),
)
def test_a_linear_manifold_is_bounded_least_squares(seed, spread, probe):
    """Also where the minimum lies on a face or a corner, and for probes wider than the cube."""
    numbers = rng(seed)
    matrix, offset = numbers.normal(size=(3, 8)), numbers.normal(size=8)
    images = offset + (0.5 + spread * numbers.normal(size=(6, 3))) @ matrix
    images += 0.3 * numbers.normal(size=images.shape)
    search = SMOOTH | {"probes": [probe]}
    found = manifold_distance(images, [linear(matrix, offset)], rng(1), **search)
    wanted = [residual(matrix, offset, image) for image in images]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def test_the_nearest_piece_counts():
    numbers = rng()
    pieces = [(numbers.normal(size=(d, 8)), numbers.normal(size=8)) for d in (2, 4)]
    images = numbers.normal(size=(20, 8))
    each = np.array([[residual(*piece, image) for image in images] for piece in pieces])
    found = manifold_distance(images, [linear(*piece) for piece in pieces], rng(), **SMOOTH)
    np.testing.assert_allclose(found, each.min(0), rtol=1e-6)
    assert len(set(each.argmin(0))) == 2


def test_a_circle_is_its_radius_away():
    radius = np.linspace(0.6, 1.5, 40)
    images = circle(rng().random((40, 1))) * radius[:, None]
    both_ends = SMOOTH | {"starts": 8}  # the cube's ends meet at angle 0
    found = manifold_distance(images, [(np.ones(1), circle)], rng(), **both_ends)
    np.testing.assert_allclose(found, (radius - 1) ** 2, atol=1e-9)


@pytest.mark.parametrize(
    ("vertices", "rotation"), [([3], NOTEBOOK), ([4], NOTEBOOK), ([3], 0.0), ([3, 5], FULL)]
)
def test_fresh_polygons_lie_on_the_manifold(vertices, rotation):
    shapes = source(vertices, max_rotation=rotation, test=16)
    found = manifold_distance(drawn(shapes), shapes.manifold, rng(), **QUICK)
    assert (found >= 0).all()
    assert np.sort(found)[:15].max() < 0.1  # one of sixteen may be missed
    assert (found < 1e-20).sum() >= 4  # to the last subpixel
    far = manifold_distance(drawn(shapes), shapes.manifold, rng(), **QUICK | {"steps": 0})
    assert np.median(far) > DELTA  # the random polygons alone are not near enough


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vertices", "rotation"), [([3], NOTEBOOK), ([3], FULL), ([4], NOTEBOOK), ([3, 4, 5, 6], FULL)]
)
def test_no_test_polygon_is_missed(vertices, rotation):
    shapes = source(vertices, max_rotation=rotation, test=256)
    found = manifold_distance(drawn(shapes), shapes.manifold, rng(), **STUDY)
    assert share_within(found, delta=DELTA) >= 0.99
    assert share_within(found, delta=0.1) >= 0.99
    assert share_within(found, delta=1e-12) >= 0.7


def test_a_known_offset_is_found():
    """No polygon reaches the corner pixel: darkened by a, an image is a^2 away."""
    shapes = source(test=12)
    images = drawn(shapes)
    assert (images[:, 0] == 1).all()
    images[:, 0] = 0.1
    found = manifold_distance(images, shapes.manifold, rng(), **QUICK)
    assert found.min() == pytest.approx(0.9**2, abs=1e-12)
    assert found.max() == pytest.approx(0.9**2, abs=0.03)  # the rest of the search
    assert share_within(found, delta=DELTA) == 0


def test_stored_greys_are_within_their_rounding():
    """k of 64 grey steps and k * 255 / 64 rounded differ by 1/510 at most."""
    shapes = source(test=2)
    draws = rng(3).random((12, 4))
    geometry = {"min_segment_angle": 20, "scale": 0.75, "max_rotation": NOTEBOOK, "raster": 28}
    covered = covered_subpixels(polygon_corners(draws, **geometry), raster=28, subpixels=8)
    unit, draw = shapes.manifold[0]
    rounding = np.square(1 - covered.reshape(12, -1) / 64 - draw(draws)).sum(1)
    assert rounding.min() > 0 and rounding.max() < 784 / 510**2
    images = 1 - covered.reshape(12, -1) / 64
    found = manifold_distance(images, shapes.manifold, rng(), **QUICK)
    assert np.sort(found)[5] < 784 / 510**2


def test_grey_and_noise_are_far():
    """Where a polygon is white or black, grey is 1/4 away and uniform noise 1/3 on average."""
    shapes = source()
    images = np.concatenate([np.full((2, 784), 0.5), rng().random((4, 784))])
    found = manifold_distance(images, shapes.manifold, rng(), **QUICK)
    edge = 150  # pixels at most that a triangle's outline meets
    assert (found[:2] > (784 - edge) / 4).all() and (found[:2] < 784 / 4).all()
    assert found[2:].mean() == pytest.approx(784 / 3, rel=0.12)


def test_squares_are_no_triangles():
    squares = drawn(source([4], test=40))
    found = manifold_distance(squares, source().manifold, rng(), **QUICK)
    assert share_within(found, delta=DELTA) <= 0.1
    assert np.median(found) > 5


def test_more_effort_is_never_worse():
    shapes = source([3], max_rotation=FULL, test=12)
    images = np.clip(drawn(shapes) + 0.05 * rng().normal(size=(12, 784)), 0, 1)

    def effort(**changes):
        return manifold_distance(images, shapes.manifold, rng(), **QUICK | changes)

    steps = [effort(steps=n) for n in (0, 1, 4, 9, 12)]
    starts = [effort(starts=n, steps=4) for n in (1, 2, 5)]
    candidates = [effort(candidates=n, starts=1, steps=0) for n in (1, 3, 256, 300, 2048)]
    for efforts in (steps, starts, candidates):
        assert (np.diff(efforts, axis=0) <= 0).all()
        assert (efforts[-1] < efforts[0]).any()


def test_probes_are_taken_in_turn_and_in_units():
    """All images are one, so that no step is taken; the map sees where it is probed."""
    asked = []

    def flat(parameters):
        asked.append(parameters[:, 0].copy())
        return np.zeros((len(parameters), 2))

    effort = {"candidates": 300, "starts": 1, "steps": 5, "probes": [2.0, 1.0, 0.5]}
    found = manifold_distance(np.ones((1, 2)), [(np.array([0.1]), flat)], rng(), **effort)
    assert found == [2.0]
    assert sum(map(len, asked[:2])) == 300  # random ones, in two parts
    start, probed = asked[2], np.concatenate(asked[3::2])
    np.testing.assert_allclose(np.abs(probed - start), [0.2, 0.1, 0.05, 0.2, 0.1])


def test_an_image_has_its_distance_whatever_stands_beside_it():
    shapes = source([3, 4], test=40)
    images, order = drawn(shapes), rng().permutation(40)
    few = QUICK | {"candidates": 300, "steps": 4}
    all_at_once = manifold_distance(images, shapes.manifold, rng(), **few)
    shuffled = manifold_distance(images[order], shapes.manifold, rng(), **few)
    alone = manifold_distance(images[:3], shapes.manifold, rng(), **few)
    np.testing.assert_allclose(shuffled, all_at_once[order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(alone, all_at_once[:3], rtol=1e-9, atol=1e-12)
    again = manifold_distance(images, shapes.manifold, rng(), **few)
    np.testing.assert_array_equal(again, all_at_once)


def test_single_precision_is_measured_in_double():
    shapes = source(test=4)
    images = drawn(shapes)
    single = manifold_distance(images.astype(np.float32), shapes.manifold, rng(), **QUICK)
    double = manifold_distance(images, shapes.manifold, rng(), **QUICK)
    np.testing.assert_allclose(single, double, atol=1e-3)
    assert single.dtype == np.float64


def test_a_share_counts_the_threshold_itself():
    assert share_within(np.array([0.5, 0.75, np.nextafter(0.75, 1), 2.0]), delta=0.75) == 0.5


@pytest.mark.parametrize(
    ("precision", "recall", "wanted"),
    [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 0.5, 2 / 3), (0.3, 0.6, 0.4), (1.0, 1.0, 1.0)],
)
def test_f1_is_the_harmonic_mean(precision, recall, wanted):
    assert f1(precision, recall) == pytest.approx(wanted)
    assert f1(recall, precision) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("images", "pieces", "changes", "named"),
    [
        (np.ones((0, 2)), 1, {}, "one at least"),
        (np.ones(2), 1, {}, "M, P"),
        (np.full((1, 2), np.nan), 1, {}, "finite"),
        (np.ones((1, 2)), 0, {}, "1 piece"),
        (np.ones((1, 2)), 1, {"starts": 0}, "1 start"),
        (np.ones((1, 2)), 1, {"candidates": 2, "starts": 3}, "3, 2 and"),
        (np.ones((1, 2)), 1, {"steps": -1}, "0 steps"),
        (np.ones((1, 2)), 1, {"probes": []}, "probes"),
        (np.ones((1, 2)), 1, {"probes": [1.0, 0.0]}, "probes"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(images, pieces, changes, named):
    with pytest.raises(ValueError, match=named):
        manifold_distance(images, [(np.ones(1), circle)] * pieces, rng(), **QUICK | changes)
