"""Minibatch discrimination: Salimans et al. 2016 (arXiv:1606.03498), section 3.2."""

from typing import Any

import torch
from torch import Tensor, nn

from bench.core import distributed
from bench.networks.layers import check_sizes


class MinibatchDiscrimination(nn.Module):
    """o(x_i)_b = sum_j exp(-|M_ib - M_jb|_1) with M_i = f(x_i) T: how near each sample's batch is.

    The sum is over the whole batch of all processes.

    Args:
        inputs: A, the width of f.
        kernels: B, the number of outputs.
        width: C, the width of the row M_ib of each kernel.
        std: standard deviation of the initial T.

    Deviation: the sum includes j = i, as in the equation; the authors' code leaves it out, which
        only shifts the next layer's bias, and normalises T's columns to unit length.
    """

    mixes_samples = True  # an output depends on the whole batch

    def __init__(self, inputs: int, *, kernels: int, width: int, std: float) -> None:
        super().__init__()
        check_sizes(kernels=kernels, width=width)
        self.std = std
        self.tensor = nn.Parameter(torch.zeros(inputs, kernels, width))

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial T."""
        nn.init.normal_(self.tensor, std=self.std, generator=generator)

    def forward(self, features: Tensor) -> Tensor:
        """Return o [B, kernels] of features f [B, inputs]."""
        rows = torch.einsum("na,abc->nbc", features, self.tensor)
        distances = (rows[:, None] - distributed.all_gather(rows)[None]).abs().sum(3)
        return distances.neg().exp().sum(1)


class Discriminator(nn.Module):
    """A discriminator whose last layer takes the features f(x) and o(x): logits [B].

    Args:
        trunk: a discriminator with `features` and the linear layer `score`. Its logit and a
            linear map of o(x) are added, which equals one linear layer of both concatenated.
        kernels, width, std: of `MinibatchDiscrimination`; the linear map has the same std.
    """

    def __init__(self, trunk: Any, *, kernels: int, width: int, std: float) -> None:
        super().__init__()
        self.trunk = trunk
        inputs = trunk.score.in_features
        self.nearness = MinibatchDiscrimination(inputs, kernels=kernels, width=width, std=std)
        self.weigh = nn.Linear(kernels, 1, bias=False)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights, the trunk's first."""
        self.trunk.reset(generator)
        self.nearness.reset(generator)
        nn.init.normal_(self.weigh.weight, std=self.nearness.std, generator=generator)

    def features(self, samples: Tensor) -> Tensor:
        """f(x), [B, A], which does not depend on the rest of the batch."""
        return self.trunk.features(samples)

    def forward(self, samples: Tensor) -> Tensor:
        """Return logits [B] of samples [B, ...]."""
        features = self.features(samples)
        logits = self.trunk.score(features) + self.weigh(self.nearness(features))
        return logits.squeeze(1)
