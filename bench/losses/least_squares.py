"""Least squares loss: Mao et al. 2017 (arXiv:1611.04076), equation 9 with a = 0, b = c = 1.

`of` maps logits to the values that are regressed on the targets: `torch.sigmoid`, or `logit`. The
paper leaves them unbounded; the study's code squares the sigmoid.
"""

from collections.abc import Callable

from torch import Tensor


def logit(logits: Tensor) -> Tensor:
    """D(x) = f(x): the logits unchanged, the paper's unbounded score."""
    return logits


def discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, *, of: Callable[[Tensor], Tensor]
) -> Tensor:
    """(E[(D(x) - 1)^2] + E[D(G(z))^2]) / 2 with D = of(logit).

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].
        of: logits -> regressed values, elementwise.

    Returns:
        Scalar; 1/4 at D = 1/2 everywhere.
    """
    return ((of(real_logits) - 1).square().mean() + of(fake_logits).square().mean()) / 2


def generator_loss(fake_logits: Tensor, *, of: Callable[[Tensor], Tensor]) -> Tensor:
    """E[(D(G(z)) - 1)^2] / 2, scalar, from the scores [B] of generated samples."""
    return (of(fake_logits) - 1).square().mean() / 2
