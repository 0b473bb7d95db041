"""Check the arguments of the statistics; refuse with one sentence."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Values: TypeAlias = Sequence[float] | np.ndarray


def finite(name: str, values: Values) -> np.ndarray:
    """Values as float64, [n], all finite, or a ValueError that begins with `name`."""
    array = _line(name, values)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: finite values only, found NaN or infinity")
    return array


def ordered(name: str, values: Values) -> np.ndarray:
    """Values that can be put in order, infinite ones too, as float64, [n]; ValueError for NaN."""
    array = _line(name, values)
    if np.isnan(array).any():
        raise ValueError(f"{name}: NaN has no place in an order")
    return array


def whole(name: str, numbers: int | Sequence[int] | np.ndarray, *, largest: int) -> np.ndarray:
    """Whole numbers in [1, largest] as int64, of the shape given; ValueError for others or none."""
    array = np.asarray(numbers)
    if not array.size or array.dtype.kind not in "iu" or array.min() < 1 or array.max() > largest:
        raise ValueError(f"{name}: whole numbers from 1 to {largest}, found {numbers}")
    return array.astype(np.int64)


def probability(name: str, value: float) -> None:
    """Refuse, with a ValueError, what does not lie between 0 and 1, both excluded."""
    if not 0 < value < 1:
        raise ValueError(f"{name}: a probability between 0 and 1, found {value}")


def _line(name: str, values: Values) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: a list of one value at least, found the shape {array.shape}")
    return array
