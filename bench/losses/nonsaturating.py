"""Non-saturating loss: Goodfellow et al. 2014 (arXiv:1406.2661), section 3.

softplus(-t) is -log sigmoid(t) without the overflow; log(sigmoid(t) + 1e-8) would lose the
generator's gradient exactly where this loss is meant to keep it. The discriminator's loss is the
minimax one: `bench.losses.minimax.discriminator_loss`.
"""

from torch import Tensor
from torch.nn.functional import softplus


def generator_loss(fake_logits: Tensor) -> Tensor:
    """-E[log D(G(z))], scalar in nats, from the scores [B] of generated samples."""
    return softplus(-fake_logits).mean()
