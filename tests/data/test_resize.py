import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.resize import centre_crop, resize_bilinear_tf1

SIZES = st.integers(1, 12)


def ramp(height, width):
    """The value 10 row + column: bilinear interpolation is exact on it."""
    rows, columns = np.arange(height)[:, None], np.arange(width)
    return np.float32(10 * rows + columns)[..., None]


@given(SIZES, SIZES, SIZES, SIZES)
def test_a_ramp_is_read_at_multiples_of_the_scale(height, width, new_height, new_width):
    resized = resize_bilinear_tf1(ramp(height, width), new_height, new_width)
    rows = np.minimum(np.arange(new_height) * height / new_height, height - 1)
    columns = np.minimum(np.arange(new_width) * width / new_width, width - 1)
    expected = 10 * rows[:, None] + columns
    np.testing.assert_allclose(resized[..., 0], expected, atol=1e-4)


def test_celeba_is_read_every_two_and_a_half_pixels():
    resized = resize_bilinear_tf1(ramp(160, 160), 64, 64)[..., 0]
    np.testing.assert_array_equal(resized[:, 0], 25 * np.arange(64))
    np.testing.assert_array_equal(resized[0], 2.5 * np.arange(64))


def test_there_is_no_antialiasing():
    stripes = np.tile(np.array([0, 255], np.uint8), 4)[None, :, None]
    assert resize_bilinear_tf1(stripes, 1, 4).ravel().tolist() == [0, 0, 0, 0]


def test_batches_and_channels_pass_through():
    images = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (2, 5, 4, 3), np.uint8)
    resized = resize_bilinear_tf1(images, 3, 7)
    assert resized.shape == (2, 3, 7, 3) and resized.dtype == np.float32
    one = resize_bilinear_tf1(images[1, :, :, 2:], 3, 7)
    np.testing.assert_array_equal(resized[1, :, :, 2:], one)
    np.testing.assert_array_equal(resize_bilinear_tf1(images, 5, 4), images)


@given(SIZES, SIZES, st.data())
def test_a_crop_leaves_as_much_on_both_sides(height, width, data):
    new_height, new_width = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    cropped = centre_crop(ramp(height, width), new_height, new_width)[..., 0]
    assert cropped.shape == (new_height, new_width)
    top, left = divmod(int(cropped[0, 0]), 10) if width <= 10 else (None, None)
    if top is None:
        return
    assert 0 <= (height - new_height) - 2 * top <= 1
    assert 0 <= (width - new_width) - 2 * left <= 1


def test_a_crop_of_celeba_begins_at_row_29_and_column_9():
    coordinates = np.indices((218, 178)).transpose(1, 2, 0)
    assert centre_crop(coordinates, 160, 160)[0, 0].tolist() == [29, 9]


def test_a_crop_larger_than_the_image_is_the_callers_mistake():
    with pytest.raises(ValueError, match="smaller"):
        centre_crop(ramp(3, 4), 4, 4)
