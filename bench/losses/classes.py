"""Likelihood of class-conditional models: Hastie et al. 2009, Elements of Statistical Learning.

Section 4.3: discriminant analyses and naive Bayes are generative, p(x, k) = pi_k p(x | k).
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ClassLikelihood:
    """-E_i[ln sum_k p(x_i, k)], a scalar in nats, from ln p(x_i, k) [B, K].

    It is only logged: the models are fitted to the joint likelihood, in closed form.
    """

    def __call__(self, log_joint: Tensor) -> Tensor:
        """Return the scalar, from ln p(x, k) [B, K]; -infinity for a class of prior 0."""
        return -log_joint.logsumexp(1).mean()
