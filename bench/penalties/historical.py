"""Historical averaging: Salimans et al. 2016 (arXiv:1606.03498), section 3.3."""

from collections.abc import Iterable

import torch
from torch import Tensor


def distance_to_average(parameters: Iterable[Tensor], averages: Iterable[Tensor]) -> Tensor:
    """|theta - (1/t) sum_i theta[i]|^2, a scalar, over all of a player's weights.

    Args:
        parameters: theta, of any shapes.
        averages: means of their past values, constants of the same shapes.
    """
    pairs = zip(parameters, averages, strict=True)
    return torch.stack([(theta - past).square().sum() for theta, past in pairs]).sum()


def update_averages(averages: Iterable[Tensor], parameters: Iterable[Tensor], count: int) -> None:
    """mean_t = mean_(t-1) + (theta - mean_(t-1)) / t, in place.

    Args:
        averages: means of t - 1 past values.
        parameters: the present values theta, of the same shapes.
        count: t, at least 1.
    """
    with torch.no_grad():
        for past, theta in zip(averages, parameters, strict=True):
            past.lerp_(theta, 1 / count)
