"""Wasserstein loss: Arjovsky et al. 2017 (arXiv:1701.07875), equation 2 and Algorithm 1."""

from torch import Tensor


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[f(G(z))] - E[f(x)]: minus the critic's estimate of W1, up to its Lipschitz constant.

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].

    Returns:
        Scalar in units of the samples' distance; 0 when f cannot tell the two apart.
    """
    return fake_logits.mean() - real_logits.mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """-E[f(G(z))], scalar, from the scores [B] of generated samples."""
    return -fake_logits.mean()
