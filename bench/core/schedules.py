"""Schedules: numbers of a run as functions of the images seen, constant after their end.

Loshchilov and Hutter 2017 (arXiv:1608.03983), equation 5, for the cosine; Huang et al. 2025
(arXiv:2501.05441), R3GAN, whose learning rate, betas, penalty weight and half-life all follow it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.core.number_checks import is_number, require_whole_number

Number = float | Callable[[float], float]  # a constant, or a function of the images seen


def at(number: Number, images: float) -> float:
    """Return the value of a constant or of a schedule after a count of images.

    Args:
        number: a constant, or images -> value.
        images: real samples seen, at least 0.
    """
    return number(images) if callable(number) else number


def require_images(images: object, meaning: str) -> None:
    """Refuse, with a ValueError, a schedule's length that is no positive finite number."""
    if not (is_number(images) and math.isfinite(images) and images > 0):
        raise ValueError(f"images is {images!r}; {meaning}: set it above 0")


def require_ends(start: object, end: object) -> None:
    """Refuse, with a ValueError, ends of a schedule that are no finite numbers."""
    for name, value in (("start", start), ("end", end)):
        if not (is_number(value) and math.isfinite(value)):
            raise ValueError(f"{name} is {value!r}; set this end of a schedule to a finite number")


@dataclass(frozen=True)
class _Between:
    """Hold the two ends of a schedule and its length."""

    start: float
    end: float
    images: float

    def __post_init__(self) -> None:
        require_ends(self.start, self.end)
        require_images(self.images, "the schedule ends there")


@dataclass(frozen=True)
class Linear(_Between):
    """start + (end - start) min(t / images, 1), where t is the count of images seen.

    Args:
        start, end: values at t = 0 and from t = images on.
        images: length of the schedule, above 0.

    Raises:
        ValueError: a number is not finite, or the length is not positive.
    """

    def __call__(self, images: float) -> float:
        """Return the value after a count of images."""
        return self.start + (self.end - self.start) * min(images / self.images, 1.0)


@dataclass(frozen=True)
class Cosine(_Between):
    """end + (start - end) (1 + cos(pi min(t / images, 1))) / 2, where t counts the images seen.

    Args:
        start, end: values at t = 0 and from t = images on.
        images: length of the schedule, above 0.

    Raises:
        ValueError: a number is not finite, or the length is not positive.
    """

    def __call__(self, images: float) -> float:
        """Return the value after a count of images."""
        remaining = (1 + math.cos(math.pi * min(images / self.images, 1.0))) / 2
        return self.end + (self.start - self.end) * remaining


@dataclass(frozen=True)
class InverseSquareRoot:
    """start / sqrt(max(t / images, 1)): constant for `images`, then falling without end.

    Karras et al. 2024 (arXiv:2312.02696), EDM2; R3GAN2's learning rate.

    Args:
        start: value up to t = images.
        images: count of images from which on the value falls, above 0.

    Raises:
        ValueError: a number is not finite, or the count is not positive.
    """

    start: float
    images: float

    def __post_init__(self) -> None:
        require_ends(self.start, 0.0)
        require_images(self.images, "the value falls from there on")

    def __call__(self, images: float) -> float:
        """Return the value after a count of images."""
        return self.start / math.sqrt(max(images / self.images, 1.0))


@dataclass(frozen=True)
class WarmUp:
    """number(t) min(t / images, 1): a constant or a schedule, raised from 0 at the start.

    Args:
        number: a constant, or images -> value; its count of images starts at 0, too.
        images: length of the warm-up, above 0.

    Raises:
        ValueError: the length is not positive.
    """

    number: Number
    images: float

    def __post_init__(self) -> None:
        require_images(self.images, "the warm-up ends there")

    def __call__(self, images: float) -> float:
        """Return the value after a count of images."""
        return at(self.number, images) * min(images / self.images, 1.0)


def lazy_correction(
    learning_rate: float, betas: Sequence[float], interval: int
) -> tuple[float, tuple[float, ...]]:
    """(c rate, beta^c) with c = interval / (interval + 1): Adam's settings under a lazy penalty.

    Karras et al. 2020 (arXiv:1912.04958), appendix B. A penalty every `interval` steps is an
    Adam step of its own, so that Adam makes interval + 1 steps where it made `interval`; the
    correction keeps the distance and the memory of `interval` steps of the loss.

    Args:
        learning_rate: Adam's rate without lazy penalties.
        betas: Adam's decay rates, each in [0, 1).
        interval: steps of the loss per step of the penalty, at least 1.

    Returns:
        Rate and betas to be handed to Adam.

    Raises:
        ValueError: the interval is not a whole number from 1 on.
    """
    require_whole_number("interval", interval, 1, meaning="steps per step of a lazy penalty")
    factor = interval / (interval + 1)
    return learning_rate * factor, tuple(beta**factor for beta in betas)
