"""Pairing relativistic loss: Jolicoeur-Martineau 2018 (arXiv:1807.00734), section 4.

RSGAN in that paper, RpGAN in R3GAN (Huang et al. 2025, arXiv:2501.05441, equation 2). Each real
sample is compared with one generated sample, so that both batches have the same size.
"""

from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[softplus(-(D(x) - D(G(z))))], scalar in nats; log 2 when D cannot tell the two apart.

    Args:
        real_logits, fake_logits: scores of equally many real and generated samples, [B].
    """
    return softplus(fake_logits - real_logits).mean()


def generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[softplus(-(D(G(z)) - D(x)))], scalar in nats, from logits [B]; the real ones are constants.

    Args:
        real_logits, fake_logits: scores of equally many real and generated samples, [B].
    """
    return softplus(real_logits - fake_logits).mean()
