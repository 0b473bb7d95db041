"""Non-saturating loss with focal weights: Lin et al. 2017 (arXiv:1708.02002), equation 4."""

from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor, *, focus: float) -> Tensor:
    """E[(1 - p)^a softplus(-f(x))] + E[p^a softplus(f(G(z)))], p = sigmoid(f), from logits [B].

    Args:
        focus: a, at least 0; with 0 it is the loss of Goodfellow et al. 2014.
    """
    real = (-real_logits).sigmoid() ** focus * softplus(-real_logits)
    fake = fake_logits.sigmoid() ** focus * softplus(fake_logits)
    return real.mean() + fake.mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """E[softplus(-f(G(z)))], from logits [B]."""
    return softplus(-fake_logits).mean()
