"""Places, ticks and labels."""

import itertools

import pytest

from bench.plotting import labels, layout, scales
from bench.plotting.style import figure


@pytest.mark.parametrize(
    "places, expected",
    [
        ([0, 0, 0], [-1, 0, 1]),
        ([0, 5, 10], [0, 5, 10]),
        ([5, 0, 4.5], [5.25, 0, 4.25]),
        ([0, 0.5, 1], [-0.5, 0.5, 1.5]),
        ([], []),
    ],
)
def test_labels_are_moved_apart_as_little_as_squares_allow(places, expected):
    assert labels.move_apart(places, 1) == pytest.approx(expected)


def test_names_at_the_ends_of_lines_never_touch():
    with figure(5, 3, placed=True) as shape:
        (axes,) = layout.add_panels(shape, 1, 1, layout.Margins(0.5, 1, 0.2, 0.5))
        labels.label_line_ends(
            axes, [(0.5, "a", "k"), (0.5, "b", "k"), (0.51, "c", "k"), (0.9, "d", "k")]
        )
        boxes = sorted((t.get_window_extent() for t in axes.texts), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    "low, high, ticks",
    [
        (1, 10, [1, 2, 5, 10]),
        (0.9, 200, [1, 3, 10, 30, 100]),
        (1e-5, 1e-2, [1e-5, 1e-4, 1e-3, 1e-2]),
        (3.1, 3.9, [3.5]),
        (1e-9, 1e9, [1e-9, 1e-5, 1e-1, 1e3, 1e7]),
    ],
)
def test_logarithmic_ticks_are_few_and_round(low, high, ticks):
    assert scales.log_ticks(low, high, 6) == pytest.approx(ticks)


@pytest.mark.parametrize(
    "low, high, ticks",
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-7, 12, [-5, 0, 5, 10]), (0.31, 0.34, [0.31, 0.315])],
)
def test_linear_ticks_are_few_and_round(low, high, ticks):
    assert scales.linear_ticks(low, high, 6)[: len(ticks)] == pytest.approx(ticks)
    assert len(scales.linear_ticks(low, high, 6)) <= 7


@pytest.mark.parametrize(
    "value, said", [(0.0001, "1e-4"), (0.05, "0.05"), (200.0, "200"), (0, "0")]
)
def test_numbers_are_plain(value, said):
    assert scales.format_tick(value) == said


def test_panels_fill_the_figure_between_the_margins():
    with figure(6, 4, placed=True) as shape:
        grid = layout.add_panels(shape, 5, 3, layout.Margins(0.6, 0.3, 0.4, 0.5), (0.3, 0.5))
    first, last = grid[0].get_position(), grid[4].get_position()
    assert (first.x0 * 6, first.y1 * 4) == pytest.approx((0.6, 3.6))
    assert last.y0 * 4 == pytest.approx(0.5)
    assert grid[2].get_position().x1 * 6 == pytest.approx(5.7)
    assert (first.width * 6, first.height * 4) == pytest.approx((1.5, 1.3))


def test_the_same_points_are_scattered_the_same_way():
    places = scales.jitter(50, 0.2)
    assert abs(places).max() <= 0.2 and len(set(places.tolist())) == 50
    assert places.tolist()[:10] == scales.jitter(10, 0.2).tolist()
