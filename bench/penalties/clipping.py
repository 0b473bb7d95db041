"""Weight clipping: Arjovsky et al. 2017 (arXiv:1701.07875), Algorithm 1, line 7."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class WeightClip:
    """w <- clip(w, -c, c): clip every entry of the given parameters, in place.

    Args:
        bound: c of the paper, above 0.

    Raises:
        ValueError: the bound is not a positive number.
    """

    bound: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bound) and self.bound > 0):
            raise ValueError(f"weight_clip is {self.bound}; set it above 0")

    def __call__(self, parameters: Iterable[Tensor]) -> None:
        """Clip weights, biases and batch norm's scales and shifts alike, as in the study."""
        with torch.no_grad():
            for parameter in parameters:
                parameter.clamp_(-self.bound, self.bound)
