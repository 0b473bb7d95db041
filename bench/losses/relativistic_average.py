"""Relativistic average losses: Jolicoeur-Martineau 2018 (arXiv:1807.00734), section 4.

Each sample is compared with the mean score of the other kind. `of` maps the margin t by which a
sample is on its right side to a loss: `logistic` makes RaSGAN, `squared` RaLSGAN, `hinge` RaHinge.
The means couple samples; a gradient penalty takes each D(x) alone all the same.
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import relu, softplus

from bench.core.coupling import couples_samples


def logistic(margin: Tensor) -> Tensor:
    """softplus(-t) = -log sigmoid(t), elementwise: RaSGAN."""
    return softplus(-margin)


def squared(margin: Tensor) -> Tensor:
    """(t - 1)^2, elementwise: RaLSGAN."""
    return (margin - 1).square()


def hinge(margin: Tensor) -> Tensor:
    """max(0, 1 - t), elementwise: RaHinge."""
    return relu(1 - margin)


@couples_samples
def discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, *, of: Callable[[Tensor], Tensor]
) -> Tensor:
    """(E[l(D(x) - E D(G(z)))] + E[l(E D(x) - D(G(z)))]) / 2, with l = of.

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].
        of: margins -> losses, elementwise: `logistic`, `squared` or `hinge`.

    Returns:
        Scalar; log 2, 1 and 1 when D cannot tell the two apart.

    Deviation: the paper sums the two terms; the author's code halves the sum, as here.
    """
    real_margin = real_logits - fake_logits.mean()
    fake_margin = real_logits.mean() - fake_logits
    return (of(real_margin).mean() + of(fake_margin).mean()) / 2


@couples_samples
def generator_loss(
    real_logits: Tensor, fake_logits: Tensor, *, of: Callable[[Tensor], Tensor]
) -> Tensor:
    """(E[l(E D(G(z)) - D(x))] + E[l(D(G(z)) - E D(x))]) / 2, with l = of; real logits constant.

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].
        of: margins -> losses, elementwise: `logistic`, `squared` or `hinge`.

    Returns:
        Scalar: `discriminator_loss` with real and fake logits exchanged.
    """
    return discriminator_loss(fake_logits, real_logits, of=of)


@couples_samples
def lecam_generator_loss(
    real_logits: Tensor, fake_logits: Tensor, *, of: Callable[[Tensor], Tensor]
) -> Tensor:
    """(l(E D(G(z)) - E D(x)) + E[l(D(G(z)) - E D(x))]) / 2, with l = of; real logits constant.

    The generator of `rahinge` in the code of LeCam (Tseng et al. 2021, arXiv:2104.03310), with
    `hinge`: the first term has the mean score of the real samples, not each score.

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].
        of: margins -> losses, elementwise.
    """
    margin = fake_logits - real_logits.mean()
    return (of(margin.mean()) + of(margin).mean()) / 2
