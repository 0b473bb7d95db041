"""Differentiable augmentation: Zhao et al. 2020 (arXiv:2006.10738), section 3.2.

Each operation takes images [B, C, H, W] and uniform numbers [B], one for each image. The published
constants are meant for pixels in [-1, 1]: brightness moves by up to 0.5 there, and what is shifted
in or cut out is 0, mid-grey. `low` and `high` say which numbers are black and white, so that other
ranges give the converted images; saturation and contrast are the same in all. Nothing is clipped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from bench.core.batch import Critic
from bench.core.parts import RandomInput, Transform
from bench.transforms.transform import ImageTransform, merge_random_inputs

PER_IMAGE = RandomInput("uniform", "sample")


def brightness(images: Tensor, uniform: Tensor, *, low: float, high: float) -> Tensor:
    """x + (u - 1/2) (high - low) / 2.

    Args:
        images: x, [B, C, H, W].
        uniform: u, in [0, 1), [B].
        low, high: black and white.
    """
    return images + _per_image(uniform - 0.5) * ((high - low) / 2)


def saturation(images: Tensor, uniform: Tensor) -> Tensor:
    """m + 2 u (x - m), where m is the mean over the channels of each pixel.

    Args:
        images: x, [B, C, H, W].
        uniform: u, in [0, 1), [B].
    """
    mean = images.mean(1, keepdim=True)
    return mean + (images - mean) * _per_image(2 * uniform)


def contrast(images: Tensor, uniform: Tensor) -> Tensor:
    """m + (u + 1/2) (x - m), where m is the mean of each image.

    Args:
        images: x, [B, C, H, W].
        uniform: u, in [0, 1), [B].
    """
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * _per_image(uniform + 0.5)


def translation(images: Tensor, rows: Tensor, columns: Tensor, *, fill: float) -> Tensor:
    """y[i, j] = x[i + rows, j + columns], or `fill` outside of the image.

    Two products with matrices of 0 and 1: no scatter, so that it has second derivatives, and all
    images are shifted at once.

    Args:
        images: x, [B, C, H, W].
        rows, columns: whole numbers, [B].
        fill: value of pixels that come from outside.
    """
    height, width = images.shape[2:]
    down, across = _shift_matrices(rows, height, images), _shift_matrices(columns, width, images)
    return torch.einsum("bij,bcjk,blk->bcil", down, images - fill, across) + fill


def cutout(
    images: Tensor, rows: Tensor, columns: Tensor, *, height: int, width: int, fill: float
) -> Tensor:
    """Replace a rectangle of each image by `fill`; what lies outside of the image is not cut.

    Args:
        images: [B, C, H, W].
        rows, columns: the centre, whole numbers in [0, H] and [0, W], [B]; the rectangle starts
            height // 2 rows and width // 2 columns before it.
        height, width: sides of the rectangle, in pixels.
        fill: value of the pixels that are cut out.
    """
    inside_rows = _interval(rows - height // 2, height, images.shape[2])[:, None, :, None]
    inside_columns = _interval(columns - width // 2, width, images.shape[3])[:, None, None, :]
    return torch.where(inside_rows & inside_columns, torch.full_like(images, fill), images)


def whole_number(uniform: Tensor, count: int) -> Tensor:
    """floor(count u), a whole number in [0, count), in the dtype of u, in [0, 1)."""
    return (uniform * count).floor().clamp(max=count - 1)


@dataclass(frozen=True)
class Brightness(ImageTransform):
    """Apply `brightness`.

    Args:
        low, high: black and white of the critic's images.
    """

    low: float
    high: float

    random_inputs: ClassVar[Mapping[str, RandomInput]] = MappingProxyType({"brightness": PER_IMAGE})

    def augment(self, samples: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
        """Return images [B, C, H, W], each lighter or darker."""
        return brightness(samples, draws["brightness"], low=self.low, high=self.high)


@dataclass(frozen=True)
class Saturation(ImageTransform):
    """Apply `saturation`, which leaves grey images as they are."""

    random_inputs: ClassVar[Mapping[str, RandomInput]] = MappingProxyType({"saturation": PER_IMAGE})

    def augment(self, samples: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
        """Return images [B, C, H, W], each with weaker or stronger colours."""
        return saturation(samples, draws["saturation"])


@dataclass(frozen=True)
class Contrast(ImageTransform):
    """Apply `contrast`."""

    random_inputs: ClassVar[Mapping[str, RandomInput]] = MappingProxyType({"contrast": PER_IMAGE})

    def augment(self, samples: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
        """Return images [B, C, H, W], each with weaker or stronger contrast."""
        return contrast(samples, draws["contrast"])


@dataclass(frozen=True)
class Translation(ImageTransform):
    """Apply `translation` by whole numbers, uniform in [-s, s] with s = floor(ratio side + 1/2).

    Args:
        ratio: largest shift as a fraction of each side, in [0, 1]; 1/8 in the paper.
        low, high: black and white of the critic's images; pixels from outside are half-way.

    Raises:
        ValueError: the ratio is outside its range.
    """

    ratio: float
    low: float
    high: float

    random_inputs: ClassVar[Mapping[str, RandomInput]] = MappingProxyType(
        {"translation_row": PER_IMAGE, "translation_column": PER_IMAGE}
    )

    def __post_init__(self) -> None:
        _require_ratio(self.ratio, "the largest shift")

    def augment(self, samples: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
        """Return images [B, C, H, W], each shifted."""
        rows, columns = (
            whole_number(draws[name], 2 * reach + 1) - reach
            for name, reach in zip(self.random_inputs, self._pixels(samples), strict=True)
        )
        return translation(samples, rows, columns, fill=(self.low + self.high) / 2)

    def _pixels(self, images: Tensor) -> list[int]:
        return [math.floor(self.ratio * side + 0.5) for side in images.shape[2:]]


@dataclass(frozen=True)
class Cutout(ImageTransform):
    """Apply `cutout` of sides floor(ratio side + 1/2), its centre uniform over the image.

    Args:
        ratio: sides of the rectangle as a fraction of the image's, in [0, 1]; 1/2 in the paper.
        low, high: black and white of the critic's images; the rectangle is half-way.

    Raises:
        ValueError: the ratio is outside its range.
    """

    ratio: float
    low: float
    high: float

    random_inputs: ClassVar[Mapping[str, RandomInput]] = MappingProxyType(
        {"cutout_row": PER_IMAGE, "cutout_column": PER_IMAGE}
    )

    def __post_init__(self) -> None:
        _require_ratio(self.ratio, "a side of the rectangle")

    def augment(self, samples: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
        """Return images [B, C, H, W], each without a rectangle."""
        sides = list(samples.shape[2:])
        height, width = (math.floor(self.ratio * side + 0.5) for side in sides)
        rows, columns = (  # a rectangle of an even side has side + 1 places, as in the paper's code
            whole_number(draws[name], side + 1 - cut % 2)
            for name, side, cut in zip(self.random_inputs, sides, (height, width), strict=True)
        )
        fill = (self.low + self.high) / 2
        return cutout(samples, rows, columns, height=height, width=width, fill=fill)


@dataclass(frozen=True)
class DiffAugment:
    """Apply transforms to the samples, one after the other.

    Args:
        steps: the transforms; the first sees the samples, the last is next to the critic. In the
            paper: brightness, saturation, contrast, translation, cutout.

    Raises:
        ValueError: two steps draw random numbers of one name.
    """

    steps: Sequence[Transform]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))  # a list of Hydra's is slow to read
        merge_random_inputs(self.steps)

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers of all steps, by name."""
        return merge_random_inputs(self.steps)

    def __call__(self, critic: Critic) -> Critic:
        """Return the critic of augmented samples."""
        for step in reversed(self.steps):
            critic = step(critic)
        return critic


def _per_image(numbers: Tensor) -> Tensor:
    """Reshape numbers [B] to [B, 1, 1, 1]."""
    return numbers.reshape(-1, 1, 1, 1)


def _shift_matrices(shifts: Tensor, side: int, like: Tensor) -> Tensor:
    """Return S with S[b, i, j] = 1 where j = i + shifts[b], else 0: [B, side, side]."""
    place = torch.arange(side, device=like.device)
    return (place == place[:, None] + shifts[:, None, None]).to(like.dtype)


def _interval(first: Tensor, length: int, side: int) -> Tensor:
    """Return which of the places 0 to side - 1 lie in [first, first + length): [B, side]."""
    place = torch.arange(side, device=first.device)
    return (place >= first[:, None]) & (place < first[:, None] + length)


def _require_ratio(ratio: float, meaning: str) -> None:
    if not 0 <= ratio <= 1:
        raise ValueError(f"ratio is {ratio}; it is {meaning} over that of the image: in [0, 1]")
