"""Minimax loss: Goodfellow et al. 2014 (arXiv:1406.2661), equation 1.

log(1 - sigmoid(t)) is -softplus(t), without the overflow.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))] with D = sigmoid(logit).

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].

    Returns:
        Scalar in nats; 2 log 2 when D cannot tell the two apart.
    """
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """E[log(1 - D(G(z)))], scalar in nats, from the scores [B] of generated samples.

    Its gradient vanishes as D becomes confident: the slope in the logit is -sigmoid(logit).
    """
    return -softplus(fake_logits).mean()


@dataclass(frozen=True)
class SmoothedDiscriminatorLoss:
    """-E[a log D(x) + (1 - a) log(1 - D(x))] - E[log(1 - D(G(z)))], one-sided label smoothing.

    Salimans et al. 2016 (arXiv:1606.03498), section 3.4: the best D is a p_r / (p_r + p_g), so
    that it is nowhere certain of real samples. Smoothing the fake labels too would put p_g into the
    numerator.

    Args:
        label_smoothing: a, the target of D on real samples, in (0, 1]; 1 is no smoothing.

    Raises:
        ValueError: a is outside its range.
    """

    label_smoothing: float

    def __post_init__(self) -> None:
        if not 0 < self.label_smoothing <= 1:
            raise ValueError(
                f"label_smoothing is {self.label_smoothing}; set this label of real samples above "
                "0, at most 1"
            )

    def __call__(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Return the scalar in nats, from the scores [B] of real and generated samples."""
        a = self.label_smoothing
        real = a * softplus(-real_logits) + (1 - a) * softplus(real_logits)
        return real.mean() + softplus(fake_logits).mean()
