"""Cross-entropy of an auxiliary classifier: Odena et al. 2017 (arXiv:1610.09585), equation 3.

Terms of a loss for either player, beside any loss that tells real samples from generated ones.
"""

from torch import Tensor


def cross_entropy(class_logits: Tensor, labels: Tensor) -> Tensor:
    """-E ln softmax(class_logits)[label], a scalar in nats; ln K for equal logits.

    Args:
        class_logits: [B, K].
        labels: classes in [0, K), int64 [B].
    """
    return -class_logits.log_softmax(1).gather(1, labels[:, None]).mean()


def real_term(real_class_logits: Tensor, real_labels: Tensor) -> Tensor:
    """Cross-entropy on real samples, a scalar in nats, from logits [B, K] and classes [B]."""
    return cross_entropy(real_class_logits, real_labels)


def fake_term(fake_class_logits: Tensor, fake_labels: Tensor) -> Tensor:
    """Cross-entropy on generated samples, from logits [B, K] and the classes asked for, [B]."""
    return cross_entropy(fake_class_logits, fake_labels)


def both_terms(
    real_class_logits: Tensor, fake_class_logits: Tensor, real_labels: Tensor, fake_labels: Tensor
) -> Tensor:
    """-L_C: cross-entropies on real and on generated samples, which both players make small."""
    return real_term(real_class_logits, real_labels) + fake_term(fake_class_logits, fake_labels)
