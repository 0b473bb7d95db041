"""Conditioning on a class: batch norm with a scale and a shift for each class, embeddings, heads.

Conditional batch norm: de Vries et al. 2017 (arXiv:1707.00683), with classes in place of questions.
Miyato and Koyama 2018 (arXiv:1802.05637) have it in the generator and embeddings in the projection.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.core import distributed
from bench.core.pixels import pixel_range
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


def weights_without_embeddings(network: nn.Module) -> list[nn.Parameter]:
    """Return a network's parameters but those of class embeddings, as BigGAN's code penalises."""
    layers = [layer for layer in network.modules() if not isinstance(layer, ClassEmbedding)]
    return [weight for layer in layers for weight in layer.parameters(recurse=False)]


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


def apply_layers(layers: Iterable[nn.Module], x: Tensor, labels: Tensor) -> Tensor:
    """Apply layers in order, conditional batch norm by labels [B] in [0, K)."""
    for layer in layers:
        x = layer(x, labels) if isinstance(layer, ConditionalBatchNorm) else layer(x)
    return x


class _Head(nn.Module):
    """Hold a discriminator whose `features`, [B, F], a further layer reads beside its `score`.

    Args:
        net: an unconditional discriminator with `features`, samples -> [B, F], and a last layer
            `score`, [B, F] -> [B, 1].
        classes: K.

    Raises:
        ValueError: the discriminator lacks one of them.
    """

    def __init__(self, net: Any, *, classes: int) -> None:
        super().__init__()
        width = getattr(getattr(net, "score", None), "in_features", None)
        if width is None or not hasattr(net, "features"):
            raise ValueError(
                f"a discriminator of type {type(net).__name__} has no features and linear score "
                "that a class could enter: choose another network="
            )
        check_sizes(classes=classes)
        self.net, self.classes, self.width = net, classes, int(width)
        self.pixel_range = pixel_range(net)

    def features(self, samples: Tensor) -> Tensor:
        """Return the inputs of the last layer, [B, F]."""
        return self.net.features(samples)


class Projection(_Head):
    """D(x) + e_c . h(x): samples and labels [B] -> logits [B]; Miyato and Koyama 2018, equation 8.

    h are the inputs of D's last layer. For the arguments see `_Head`.
    """

    def __init__(self, net: Any, *, classes: int) -> None:
        super().__init__(net, classes=classes)
        self.embedding = ClassEmbedding(classes, self.width)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the network's weights, then Glorot's of the embedding."""
        self.net.reset(generator)
        nn.init.xavier_uniform_(self.embedding.weight, generator=generator)

    def forward(self, samples: Tensor, labels: Tensor) -> Tensor:
        """Return logits [B] of samples [B, ...] and labels [B] in [0, K)."""
        features = self.features(samples)
        return self.net.score(features).squeeze(1) + (self.embedding(labels) * features).sum(1)


class Classifier(_Head):
    """{"logits": D(x), "class_logits": V h(x) + b}: Odena et al. 2017 (arXiv:1610.09585).

    h are the inputs of D's last layer. For the arguments see `_Head`.
    """

    def __init__(self, net: Any, *, classes: int) -> None:
        super().__init__(net, classes=classes)
        self.classifier = nn.Linear(self.width, classes)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the network's weights, then Glorot's of the classifier; its bias starts at 0."""
        self.net.reset(generator)
        nn.init.xavier_uniform_(self.classifier.weight, generator=generator)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, samples: Tensor) -> dict[str, Tensor]:
        """Return logits [B] and class logits [B, K] of samples [B, ...]."""
        features = self.features(samples)
        logits = self.net.score(features).squeeze(1)
        return {"logits": logits, "class_logits": self.classifier(features)}
