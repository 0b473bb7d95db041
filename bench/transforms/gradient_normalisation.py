"""Gradient normalisation: Wu et al. 2021 (arXiv:2109.02235)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from bench.core.batch import Batch, Critic, Outputs
from bench.core.outputs import logits_of
from bench.core.parts import RandomInput
from bench.core.pixels import UNIT, require_range


@dataclass(frozen=True)
class GradientNormalisation:
    """f(x) / (|grad_x f(x)|_2 + |f(x)|) of each sample, in (-1, 1).

    Both players differentiate through it. It is not defined where f and its gradient are 0.

    Args:
        pixel_range: range (black, white) of images in which the slope is taken: it is larger the
            closer the two are. None: [0, 1], the suite's. Points have no range.

    Raises:
        ValueError: `pixel_range` is no range.

    Deviation: the paper adds a general zeta(x) to the norm; |f(x)| is that of its code.
    """

    pixel_range: Sequence[float] | None = None

    random_inputs: ClassVar[Mapping[str, RandomInput]] = MappingProxyType({})

    differentiates_critic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.pixel_range is not None:
            require_range(self.pixel_range, "normalisation.transforms.gradient")

    def __call__(self, critic: Critic) -> Critic:
        """Return the critic with normalised logits; other outputs stay.

        Args:
            critic: its logit of a sample depends on that sample alone, and its layers move no
                buffers, which torch refuses inside of a gradient.
        """
        black, white = UNIT if self.pixel_range is None else self.pixel_range

        def normalised_critic(batch: Batch) -> Outputs:
            width = white - black if batch.samples.ndim == 4 else 1.0

            def total(samples: Tensor) -> tuple[Tensor, Outputs]:
                outputs = critic(batch._replace(samples=samples))
                return logits_of(outputs).sum(), outputs

            with torch.autocast(batch.samples.device.type, enabled=False):  # a slope is float32
                gradient, outputs = torch.func.grad(total, has_aux=True)(batch.samples)
                slope = torch.linalg.vector_norm(gradient.flatten(1), dim=1) / width
                logits = logits_of(outputs)
                normalised = logits / (slope + logits.abs())
            if isinstance(outputs, Mapping):
                return {**outputs, "logits": normalised}
            return normalised

        return normalised_critic
