"""Decay rules of the generator's moving average: average <- d average + (1 - d) weights.

A rule is asked at each update of the average, with the images seen and those since its last
update; with d = 0 the average is a copy of the weights.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from typing import Protocol

import torch
from torch import Tensor, nn

from bench.core.number_checks import is_number
from bench.core.schedules import Number, at

LEAST_HALF_LIFE = 1e-8  # images, so that a half-life of 0 divides by no 0: R3GAN and StyleGAN2


class DecayRule(Protocol):
    """A moving average's decay as a function of the images seen."""

    def decay(self, images_seen: int, images_since_last: int) -> float:
        """Return d, in [0, 1].

        Args:
            images_seen: real samples seen by the discriminator so far, this update's included.
            images_since_last: those since the last update of the average.
        """


def require_start(start: object) -> None:
    """Refuse, with a ValueError, a count of images that is no finite number from 0 on."""
    if not (is_number(start) and math.isfinite(start) and start >= 0):
        raise ValueError(f"start is {start!r}; it counts images: set it to 0 or more")


@dataclass(frozen=True)
class Constant:
    """d = decay_rate from `start` images on, 0 before: BigGAN.

    Brock et al. 2019 (arXiv:1809.11096), section 3.

    Args:
        decay_rate: d, in (0, 1); 0.9999 in the paper.
        start: images seen at which averaging begins, at least 0. BigGAN's code counts generator
            steps, 1000 of them: multiply by the images of a generator step.

    Raises:
        ValueError: a number is outside its range.
    """

    decay_rate: float
    start: float

    def __post_init__(self) -> None:
        if not (is_number(self.decay_rate) and 0 < self.decay_rate < 1):
            raise ValueError(f"decay_rate is {self.decay_rate!r}; set it between 0 and 1")
        require_start(self.start)

    def decay(self, images_seen: int, images_since_last: int) -> float:
        """Return the constant, or 0 before the start; it does not depend on the batch."""
        return 0.0 if images_seen < self.start else self.decay_rate


@dataclass(frozen=True)
class HalfLife:
    """d = 2^(-n / min(h, ramp t)) with n images since the last update, t seen; 0 before `start`.

    Karras et al. 2020 (arXiv:2006.06676, StyleGAN2-ADA's code), where h is 500,000 images and the
    ramp 0.05. R3GAN (arXiv:2501.05441) has no ramp and a cosine schedule for h.

    Args:
        half_life: h, images after which a weight counts half: above 0, or a schedule from 0 on.
        ramp: largest half-life as a fraction of the images seen, above 0; None for no bound.
        start: images seen at which averaging begins, at least 0.

    Raises:
        ValueError: a number is outside its range.
    """

    half_life: Number
    ramp: float | None
    start: float

    def __post_init__(self) -> None:
        constant = not callable(self.half_life)
        if constant and not (is_number(self.half_life) and 0 < self.half_life < math.inf):
            raise ValueError(f"half_life is {self.half_life!r}; it counts images: set it above 0")
        if self.ramp is not None and not (is_number(self.ramp) and 0 < self.ramp < math.inf):
            raise ValueError(f"ramp is {self.ramp!r}; set it above 0, or to null for no ramp")
        require_start(self.start)

    def decay(self, images_seen: int, images_since_last: int) -> float:
        """Return d, in [0, 1]; near 0 while the half-life is far below a batch."""
        if images_seen < self.start:
            return 0.0
        half_life = at(self.half_life, images_seen)
        if self.ramp is not None:
            half_life = min(half_life, self.ramp * images_seen)
        return 0.5 ** (images_since_last / max(half_life, LEAST_HALF_LIFE))


@dataclass(frozen=True)
class MovingAverage:
    """The moving average of a generator's weights, an entry of conf/ema.

    Args:
        rule: the decay.
        copy_buffers: copy buffers, such as batch norm's averages, as StyleGAN2 does, instead of
            averaging them too, as BigGAN does; counts, as torch's batch norm has, are copied.
    """

    rule: DecayRule
    copy_buffers: bool

    @torch.no_grad()
    def update(self, average: nn.Module, generator: nn.Module, decay: float) -> None:
        """Make average <- decay average + (1 - decay) generator, in place."""
        parameters, new_parameters = (
            _tensors(average.parameters()),
            _tensors(generator.parameters()),
        )
        buffers, new_buffers = _tensors(average.buffers()), _tensors(generator.buffers())
        if self.copy_buffers or decay == 0:
            _copy(buffers, new_buffers)
        else:
            counts = [not buffer.is_floating_point() for buffer in buffers]  # torch's batch norm's
            _copy(list(compress(buffers, counts)), list(compress(new_buffers, counts)))
            means = [not is_count for is_count in counts]
            parameters = [*parameters, *compress(buffers, means)]
            new_parameters = [*new_parameters, *compress(new_buffers, means)]
        if decay == 0:
            _copy(parameters, new_parameters)
        else:
            torch._foreach_lerp_(parameters, new_parameters, 1 - decay)


def _tensors(found: Iterable[Tensor]) -> list[Tensor]:
    return list(found)


def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    if targets:
        torch._foreach_copy_(targets, sources)
