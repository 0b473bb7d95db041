"""Implicit maximum likelihood estimation: Li and Malik 2018 (arXiv:1809.09087), section 3."""

import torch
from torch import Tensor


def nearest(samples: Tensor, pool: Tensor) -> Tensor:
    """argmin_j |x_i - y_j|^2: for each sample the index of its nearest in the pool, [B].

    Args:
        samples: real samples x, [B, ...].
        pool: generated samples y, [M, ...].
    """
    with torch.no_grad():
        return torch.cdist(samples.flatten(1), pool.flatten(1)).argmin(1)


def nearest_distance(samples: Tensor, pool: Tensor) -> Tensor:
    """E_i[min_j |x_i - y_j|^2], from real samples x and generated ones y.

    Every real sample attracts one generated sample, so the generator cannot drop a mode. Generated
    samples that are nearest to no real one have no gradient.

    Args:
        samples: real samples, [B, ...].
        pool: generated samples, [M, ...].

    Returns:
        Scalar in squared units of the data, summed over the elements of a sample; 0 where every
        real sample is among the generated ones.
    """
    neighbours = pool[nearest(samples, pool)]
    return (samples - neighbours).square().flatten(1).sum(1).mean()
