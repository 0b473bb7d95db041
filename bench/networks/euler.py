"""Sample along a velocity field: Liu et al. 2022 (arXiv:2209.03003), section 2.1."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.number_checks import require_whole_number
from bench.core.pixels import pixel_range


class EulerSampler(nn.Module):
    """x_(k+1) = x_k + v(x_k, k / N) / N from x_0 = z: latents [B, L] -> samples [B, ...].

    Gradients flow through all steps; training by flow matching needs the velocity alone.

    Args:
        net: the velocity v, (samples [B, ...], times [B]) -> [B, ...]; its `pixel_range` is that of
            the samples.
        shape: of a sample; L is the number of its elements.
        steps: N, passes through v for each sample. At least 1.

    Attributes:
        function_evaluations: N, the cost of a sample in passes through a network.

    Raises:
        ValueError: N is not a whole number from 1 on.
    """

    def __init__(self, net: Any, shape: Sequence[int], *, steps: int) -> None:
        super().__init__()
        require_whole_number("steps", steps, 1, meaning="steps of Euler's method for a sample")
        self.net, self.shape, self.function_evaluations = net, tuple(shape), steps
        self.pixel_range = pixel_range(net)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights of the velocity."""
        self.net.reset(generator)

    def velocity(self, samples: Tensor, time: Tensor) -> Tensor:
        """Return v(x, t), [B, ...], from x [B, ...] in the range of the network and t [B]."""
        return self.net(samples, time)

    def forward(self, latent: Tensor) -> Tensor:
        """Return samples, [B, ...]; images are not clipped."""
        samples = latent.reshape(-1, *self.shape)
        for step in range(self.function_evaluations):
            time = torch.full_like(latent[:, 0], step / self.function_evaluations)
            samples = samples + self.net(samples, time) / self.function_evaluations
        return samples
