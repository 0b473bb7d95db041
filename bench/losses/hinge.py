"""Hinge loss: Lim and Ye 2017 (arXiv:1705.02894); Miyato et al. 2018 (arXiv:1802.05957), eq. 16-17.

The generator's loss is the Wasserstein one: `bench.losses.wasserstein.generator_loss`.
"""

from torch import Tensor
from torch.nn.functional import relu


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[max(0, 1 - f(x))] + E[max(0, 1 + f(G(z)))].

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].

    Returns:
        Scalar; 2 at f = 0 everywhere, 0 once all real scores exceed 1 and all fake ones -1.
    """
    return relu(1 - real_logits).mean() + relu(1 + fake_logits).mean()
