"""Feature matching: Salimans et al. 2016 (arXiv:1606.03498), section 3.1."""

from torch import Tensor


def generator_loss(real_mean: Tensor, fake_mean: Tensor) -> Tensor:
    """|E f(x) - E f(G(z))|^2, from a layer f of the discriminator.

    Args:
        real_mean, fake_mean: mean features of real and of generated samples, [F].

    Returns:
        Scalar; 0 where the means agree, however else the features differ.
    """
    return (real_mean - fake_mean).square().sum()
