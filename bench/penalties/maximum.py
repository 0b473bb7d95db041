"""The largest gradient of a batch: Zhou et al. 2019 (arXiv:1902.05687), Lipschitz GAN.

An `ask` of `bench.penalties.gradient.GradientPenalty` beside those of `bench.penalties.norms`.
"""

from torch import Tensor

from bench.core.coupling import couples_samples


@couples_samples
def maximum(norm: Tensor) -> Tensor:
    """max_i |grad f(x_i)|^2, a scalar, from the norms [N].

    Args:
        norm: |grad f| of each point, [N], at least 0; equally large ones share the slope.
    """
    return norm.square().amax()
