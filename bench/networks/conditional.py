"""Conditioning on a class: batch norm with a scale and a shift for each class, class embeddings.

Conditional batch norm: de Vries et al. 2017 (arXiv:1707.00683), with classes in place of questions.
Miyato and Koyama 2018 (arXiv:1802.05637) have it in the generator and embeddings in the projection.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.core import distributed
from bench.networks.layers import BatchNorm, check_sizes


class EpsBatchNorm(BatchNorm):
    """(x - mean) / sqrt(var + eps), scaled and shifted, with the eps of the cited network.

    Args:
        features: channels of [B, features] or [B, features, H, W].
        momentum: weight of the newest batch in the running averages, see `BatchNorm`.
        eps: added to the variance, above 0.

    Deviation: the running average is of the biased variance, as in `BatchNorm`; torch and Chainer
        average n / (n - 1) times it. It starts at 1, as in torch; in the code of SNGAN at 0.
    """

    def __init__(self, features: int, *, momentum: float | None, eps: float) -> None:
        super().__init__(features, momentum=momentum)
        if not eps > 0:
            raise ValueError(f"batch norm's eps is {eps}; it is added to a variance: above 0")
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise, scale and shift x, [B, features, ...]."""
        return self._normalise(x, self.weight, self.bias)

    def _normalise(self, x: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
        """Return (x - mean) / sqrt(var + eps), times scale [features], plus shift [features]."""
        norm, eps = functional.batch_norm, self.eps
        by_batch = self.training or self.momentum is None
        if self.synchronised and by_batch and distributed.world_size() > 1:
            return self._normalise_over_processes(x, scale, shift)
        if self.momentum is None:
            return norm(x, None, None, scale, shift, True, 0.0, eps)
        mean, var = self.running_mean, self.running_var
        if not self.training:
            return norm(x, mean, var, scale, shift, False, 0.0, eps)
        # momentum 1 turns torch's update into the batch's own mean and n / (n - 1) its variance
        batch_mean, batch_var = torch.zeros_like(mean), torch.zeros_like(var)
        y = norm(x, batch_mean, batch_var, scale, shift, True, 1.0, eps)
        count = x.numel() // len(var)
        mean.copy_(torch.lerp(mean, batch_mean, self.momentum))  # lerp_ does not work under vmap
        var.copy_(torch.lerp(var, batch_var * ((count - 1) / count), self.momentum))
        return y

    def _normalise_over_processes(
        self, x: Tensor, scale: Tensor | None, shift: Tensor | None
    ) -> Tensor:
        """Normalise x by mean and biased variance over the batches of all processes."""
        values = x.float() if x.dtype == torch.bfloat16 else x
        count = values.numel() // values.shape[1] * distributed.world_size()
        axes, column = [0, *range(2, x.ndim)], (-1, *(1,) * (x.ndim - 2))
        mean = distributed.all_reduce_sum(values.sum(axes)) / count
        centred = values - mean.reshape(column)
        var = distributed.all_reduce_sum(centred.square().sum(axes)) / count
        if self.momentum is not None:
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(var.detach(), self.momentum)
        y = centred * (var + self.eps).rsqrt().reshape(column)
        if scale is not None and shift is not None:
            y = y * scale.reshape(column) + shift.reshape(column)
        return y.to(x.dtype)


class ClassEmbedding(nn.Module):
    """Class indices [B] -> vectors e_c, [B, F].

    Args:
        classes: K.
        features: F.
    """

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        check_sizes(classes=classes, features=features)
        self.weight = nn.Parameter(torch.zeros(classes, features))

    def forward(self, labels: Tensor) -> Tensor:
        """Return the vector of each class, [B, F], of labels [B] in [0, K)."""
        return self.weight[labels]


class ConditionalBatchNorm(EpsBatchNorm):
    """(1 + gain_c) (x - mean) / sqrt(var + eps) + shift_c, with gain_c = shift_c = 0 at the start.

    Mean and variance are over all classes of a batch.

    Args:
        classes: K.
        features, momentum, eps: as in `EpsBatchNorm`.

    Deviation: de Vries et al. predict changes of the scale and shift of a trained network; here,
        as in the codes of SNGAN-projection and BigGAN, there is none but the classes'. compare_gan
        lacks the 1, so that its scales start near 0.
    """

    def __init__(self, classes: int, features: int, *, momentum: float | None, eps: float) -> None:
        super().__init__(features, momentum=momentum, eps=eps)
        self.weight, self.bias = None, None  # type: ignore[assignment]  # gain and shift replace
        self.gain = ClassEmbedding(classes, features)
        self.shift = ClassEmbedding(classes, features)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """Normalise x, [B, features, ...], then scale and shift by labels [B] in [0, K)."""
        ones = (1,) * (x.ndim - 2)
        gain, shift = (e(labels).unflatten(1, (-1, *ones)) for e in (self.gain, self.shift))
        return (shift + (1 + gain) * self._normalise(x, None, None)).to(x.dtype)
