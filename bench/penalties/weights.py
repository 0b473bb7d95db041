"""Penalties on a player's weight matrices: L2 as in Kurach et al. 2019, orthogonal as in BigGAN.

Kernels [out, in, H, W] are matrices [out, in H W]; biases and scales are free.
"""

from collections.abc import Iterable

import torch
from torch import Tensor


def matrices(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return the parameters of two or more axes as matrices [out, rest].

    Raises:
        ValueError: there is none.
    """
    found = [weight.flatten(1) for weight in parameters if weight.ndim > 1]
    if not found:
        raise ValueError("a penalty on weight matrices needs one, and the network has none")
    return found


def l2(parameters: Iterable[Tensor]) -> Tensor:
    """(1/M) sum_i |W_i|^2 / 2 over M matrices, a scalar: Kurach et al. 2019 (arXiv:1807.04720).

    Args:
        parameters: a player's, of any shapes; those of one axis are left out, as in the study's
            code (compare_gan v2).
    """
    return torch.stack([w.square().sum() / 2 for w in matrices(parameters)]).mean()


def orthogonal(parameters: Iterable[Tensor]) -> Tensor:
    """sum_i |W_i W_i^T * (1 - I)|_F^2 over the matrices, a scalar.

    Brock et al. 2019 (arXiv:1809.11096), equation 3, with beta = 1e-4.

    Args:
        parameters: a player's, of any shapes; leave class embeddings out, as in the paper's code.

    Deviation: the equation has W^T W; the code compares rows, the output channels, as here. It
        adds half of the equation's gradient: its strength of 1e-4 is a weight of 5e-5 here.
    """
    return torch.stack([_off_diagonal(w @ w.T).square().sum() for w in matrices(parameters)]).sum()


def _off_diagonal(square: Tensor) -> Tensor:
    """Return a square matrix with zeros on its diagonal."""
    return square * (1 - torch.eye(len(square), dtype=square.dtype, device=square.device))
