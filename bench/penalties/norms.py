"""Penalties on the norm of a gradient: norms [N] -> scalar."""

from torch import Tensor


def two_sided(norm: Tensor) -> Tensor:
    """E[(|grad f| - 1)^2], from the norms [N]: Gulrajani et al. 2017 (arXiv:1704.00028), eq. 3."""
    return (norm - 1).square().mean()


def one_sided(norm: Tensor) -> Tensor:
    """E[max(0, |grad f| - 1)^2], from the norms [N]: Petzka et al. 2017, arXiv:1709.08894."""
    return (norm - 1).clamp(min=0).square().mean()


def zero_centred(norm: Tensor) -> Tensor:
    """E[|grad f|^2], from the norms [N]: Mescheder et al. 2018 (arXiv:1801.04406), equation 9.

    The equation has gamma / 2 before it: `penalty_weight` is gamma / 2. With eps under the root
    the value is eps too large and the gradient exact.
    """
    return norm.square().mean()
