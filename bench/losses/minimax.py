"""Minimax loss: Goodfellow et al. 2014 (arXiv:1406.2661), equation 1.

log(1 - sigmoid(t)) is -softplus(t), without the overflow.
"""

from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))] with D = sigmoid(logit).

    Args:
        real_logits: scores of real samples, [B].
        fake_logits: scores of generated samples, [B].

    Returns:
        Scalar in nats; 2 log 2 when D cannot tell the two apart.
    """
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """E[log(1 - D(G(z)))], scalar in nats, from the scores [B] of generated samples.

    Its gradient fades as D grows sure: the slope in the logit is -sigmoid(logit).
    """
    return -softplus(fake_logits).mean()
