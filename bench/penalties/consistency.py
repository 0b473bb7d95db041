"""Consistency of the discriminator: CR of Zhang et al. 2020 (arXiv:1910.12027), equation 2.

bCR asks it of generated samples too: Zhao et al. 2020 (arXiv:2002.04724), equation 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.core.contracts import require_shape
from bench.core.parts import RandomInput, RandomInputs, Rows, SampleCritic, identity

SIDES = {"real": 1, "both": 2}  # -> copies of the random numbers of a batch


def flip_and_shift(images: Tensor, flips: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """y[i, j] = x[i + rows, j + columns], reflected at the border, mirrored where `flips`.

    Pixels are picked by matrices of 0 and 1, so that it has second derivatives.

    Args:
        images: x, [B, C, H, W].
        flips: 1 to mirror an image left to right, else 0, [B].
        rows, columns: whole numbers below H and W in size, [B].
    """
    height, width = images.shape[2:]
    down = _reflected(rows, height)
    across = _reflected(columns, width)
    mirrored = torch.where(flips[:, None] > 0, width - 1 - across, across)
    pick_rows, pick_columns = _pick(down, images), _pick(mirrored, images)
    return torch.einsum("bij,bcjk,blk->bcil", pick_rows, images, pick_columns)


def _reflected(shifts: Tensor, side: int) -> Tensor:
    """Return the places 0 to side - 1, shifted and reflected at both ends, [B, side]."""
    place = (torch.arange(side, device=shifts.device) + shifts[:, None]).abs()
    return (side - 1) - ((side - 1) - place).abs()


def _pick(places: Tensor, like: Tensor) -> Tensor:
    """Return P with P[b, i, j] = 1 where j = places[b, i], else 0: [B, side, side]."""
    every = torch.arange(places.shape[1], device=places.device)
    return (places[:, :, None] == every).to(like.dtype)


@dataclass(frozen=True)
class Consistency:
    """E (D(x) - D(T x))^2, T a random mirroring (p = 1/2) and a shift of up to `shift` of the side.

    The mirroring and the reflected border are those of StudioGAN's code.

    Args:
        side: "real" for CR; "both" for bCR, the sum of the terms on real and generated samples.
        shift: largest shift as a fraction of the side, in [0, 1); 1/8 in the code.

    Raises:
        ValueError: a setting is outside its range.
    """

    side: str
    shift: float

    differentiates_critic: ClassVar[bool] = False
    images_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise ValueError(f"consistency's side is {self.side!r}; choose {' or '.join(SIDES)}")
        if not 0 <= self.shift < 1:
            raise ValueError(f"consistency's shift is {self.shift}; it is a fraction of the side")

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """A flip and two shifts of each sample."""
        names = ("flip", "row", "column")
        return {name: RandomInput("uniform", "sample", SIDES[self.side]) for name in names}

    def __call__(
        self,
        critic: SampleCritic,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
        shard: Rows = identity,
    ) -> Tensor:
        """Return the unweighted term, a scalar, from images [B, C, H, W]: see `Penalty`."""
        images = shard(real if self.side == "real" else torch.cat([real, fake]))
        numbers = {name: shard(uniform) for name, uniform in draws.items()}
        shifts = {}
        for name, side in zip(("row", "column"), images.shape[2:], strict=True):
            most = int(self.shift * side)
            shifts[name] = (numbers[name] * (2 * most + 1)).floor().clamp(max=2 * most) - most
        flips = (numbers["flip"] < 0.5).to(images.dtype)
        changed = flip_and_shift(images, flips, shifts["row"], shifts["column"])
        logits = critic(images)
        require_shape(logits, (len(images),), critic, "a batch of logits")
        return (logits - critic(changed)).square().mean() * SIDES[self.side]
