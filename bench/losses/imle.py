"""Implicit maximum likelihood estimation: Li and Malik 2018 (arXiv:1809.09087), section 3."""

import torch
from torch import Tensor


def nearest(samples: Tensor, pool: Tensor) -> Tensor:
    """argmin_j |x_i - y_j|^2, [B]: indices into the pool y [M, ...] for real samples x [B, ...]."""
    with torch.no_grad():
        return torch.cdist(samples.flatten(1), pool.flatten(1)).argmin(1)


def nearest_distance(samples: Tensor, pool: Tensor) -> Tensor:
    """E_i[min_j |x_i - y_j|^2], from real samples x [B, ...] and generated ones y [M, ...].

    Every real sample attracts one generated sample, so the generator cannot drop a mode. Generated
    samples that are nearest to no real one have no gradient.

    Returns:
        Scalar in squared units of the data, summed over the elements of a sample; 0 where every
        real sample is among the generated ones.
    """
    neighbours = pool[nearest(samples, pool)]
    return (samples - neighbours).square().flatten(1).sum(1).mean()
