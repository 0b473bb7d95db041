"""Batch norm and initial weights of the study's code (compare_gan v1)."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrize import is_parametrized

from bench.core import distributed
from bench.core.number_checks import require_whole_number

EPS = 1e-3  # compare_gan v1: tf.contrib.layers.batch_norm with epsilon 1e-3


class BatchNorm(nn.Module):
    """Batch norm with the biased variance in its running average, as TensorFlow's unfused layer.

    Args:
        features: channels of [B, features] or [B, features, H, W].
        momentum: weight of the newest batch in the running averages, 1 - decay, in (0, 1]. None
            keeps no running averages and always normalises by the batch, so that the layer can
            be used under a gradient penalty.

    Deviation: in evaluation the study's discriminator uses running averages; a layer without them
        uses the batch's statistics. The discriminator is not part of any published score.
    """

    running_mean: Tensor
    running_var: Tensor
    synchronised = False  # True after `synchronise`: statistics are those of all processes

    def __init__(self, features: int, *, momentum: float | None) -> None:
        super().__init__()
        if momentum is not None and not 0 < momentum <= 1:
            raise ValueError(f"batch norm momentum is {momentum}; set it above 0, at most 1")
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        if momentum is not None:
            self.register_buffer("running_mean", torch.zeros(features))
            self.register_buffer("running_var", torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x, [B, features, ...]."""
        by_batch = self.training or self.momentum is None
        if self.synchronised and by_batch and distributed.world_size() > 1:
            return self._normalise_synchronised(x)
        if self.momentum is None:
            return functional.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, EPS)
        mean, var = self.running_mean, self.running_var
        if not self.training:
            return functional.batch_norm(x, mean, var, self.weight, self.bias, False, 0.0, EPS)
        # momentum 1 turns torch's update into the batch's own mean and n / (n - 1) its variance
        batch_mean, batch_var = torch.zeros_like(mean), torch.zeros_like(var)
        y = functional.batch_norm(x, batch_mean, batch_var, self.weight, self.bias, True, 1.0, EPS)
        count = x.numel() // len(var)
        mean.copy_(torch.lerp(mean, batch_mean, self.momentum))  # lerp_ does not work under vmap
        var.copy_(torch.lerp(var, batch_var * ((count - 1) / count), self.momentum))
        return y

    def _normalise_synchronised(self, x: Tensor) -> Tensor:
        """Normalise x by mean and biased variance over the batches of all processes.

        Two differentiable sums: of the values, then of the centred squares.
        """
        values = x.float() if x.dtype == torch.bfloat16 else x
        count = values.numel() // len(self.weight) * distributed.world_size()
        axes, column = [0, *range(2, x.ndim)], (-1, *(1,) * (x.ndim - 2))
        mean = distributed.all_reduce_sum(values.sum(axes)) / count
        centred = values - mean.reshape(column)
        var = distributed.all_reduce_sum(centred.square().sum(axes)) / count
        if self.momentum is not None:
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(var.detach(), self.momentum)
        scale = self.weight * (var + EPS).rsqrt()
        return (centred * scale.reshape(column) + self.bias.reshape(column)).to(x.dtype)


def is_batch_norm(layer: nn.Module) -> bool:
    """Return whether a layer is batch norm, ours or torch's."""
    return isinstance(layer, BatchNorm | nn.modules.batchnorm._BatchNorm)


def check_sizes(**sizes: int) -> None:
    """Refuse, with a ValueError, a network's sizes that are no whole numbers from 1 on.

    Torch builds layers of size 0, and the run would fail in its first step.
    """
    for name, size in sizes.items():
        require_whole_number(f"the network's {name}", size, 1)


def norm_if(condition: bool, features: int, momentum: float | None) -> nn.Module:
    """Return a `BatchNorm` where the condition holds, else the identity."""
    return BatchNorm(features, momentum=momentum) if condition else nn.Identity()


def synchronise(module: nn.Module) -> None:
    """Make all batch norms of a module normalise by the batches of all processes of a run."""
    for layer in module.modules():
        if isinstance(layer, BatchNorm):
            layer.synchronised = True


class StudyWeights(nn.Module):
    """A network whose initial weights are the study's: normal, of standard deviation `std`."""

    std: float

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        initialise(self, generator, std=self.std)


def initialise(module: nn.Module, generator: torch.Generator, *, std: float) -> None:
    """Initialise weights: conv from a normal truncated at 2 std, others from a normal, biases 0.

    Args:
        module: its convolutions, transposed convolutions and linear layers are drawn in order.
        generator: random generator of the stream "init".
        std: standard deviation, 0.02 in the study.
    """
    for layer in module.modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            continue
        computed = is_parametrized(layer, "weight")
        weight = torch.empty_like(layer.weight) if computed else layer.weight
        if isinstance(layer, nn.Conv2d):
            nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std, generator=generator)
        else:
            nn.init.normal_(weight, std=std, generator=generator)
        if computed:
            layer.weight = weight  # through the parametrization: sets what the weight is made from
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
