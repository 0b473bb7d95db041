"""Non-saturating loss: Goodfellow et al. 2014 (arXiv:1406.2661), section 3.

softplus(-t) is -log sigmoid(t) without the overflow; with log(sigmoid(t) + 1e-8) the generator's
gradient would vanish exactly where this loss is meant to preserve it. The discriminator's loss is
`bench.losses.minimax.discriminator_loss`.
"""

from torch import Tensor
from torch.nn.functional import softplus


def generator_loss(fake_logits: Tensor) -> Tensor:
    """-E[log D(G(z))], scalar in nats, from the scores [B] of generated samples."""
    return softplus(-fake_logits).mean()
