"""A rate that is halved every so many images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Halving:
    """start 2^(-t / images), where t counts the images seen.

    Args:
        start: the rate at t = 0.
        images: after so many the rate is half.
    """

    start: float
    images: float

    def __call__(self, images: float) -> float:
        """Return the rate after a count of images."""
        return self.start * 0.5 ** (images / self.images)
