"""Optimizers' rules for all replicas at once, each torch's own formula with rates [R, 1].

A rule returns new weights and writes its moments in place. No sum runs over the replicas: what
one of them holds never reaches another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from bench.models import differentiable

Moments = dict[str, Tensor]


class Rates(NamedTuple):
    """Each replica's, float64 [R, 1]: 1 - 0.999 would lose five digits in float32."""

    learning_rate: Tensor
    beta1: Tensor
    beta2: Tensor


class Rule(Protocol):
    """How weights [R, P] follow gradients [R, P]."""

    @property
    def eps(self) -> float:
        """Added to the root; 0 where there is none."""

    moments: ClassVar[tuple[str, ...]]  # all start at 0
    ahead: ClassVar[Callable[..., Any] | None]  # the same step for one replica, differentiable

    def __call__(
        self, weights: Tensor, gradient: Tensor, moments: Moments, step: int, rates: Rates
    ) -> Tensor:
        """The new weights; `step` counts from 1."""


@dataclass(frozen=True)
class Adam:
    """p - lr m' / (sqrt(v') + eps), as `torch.optim.Adam`; eps is added to the corrected root."""

    eps: float
    moments: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")
    ahead: ClassVar[Callable[..., Any] | None] = staticmethod(differentiable.adam)

    def __call__(
        self, weights: Tensor, gradient: Tensor, moments: Moments, step: int, rates: Rates
    ) -> Tensor:
        """Kingma and Ba 2015 (arXiv:1412.6980), Algorithm 1."""
        kind = weights.dtype
        mean, square = moments["exp_avg"], moments["exp_avg_sq"]
        mean.lerp_(gradient, (1 - rates.beta1).to(kind))
        square.mul_(rates.beta2.to(kind))
        square.addcmul_(gradient, gradient * (1 - rates.beta2).to(kind))
        moved = mean * (-rates.learning_rate / (1 - rates.beta1**step)).to(kind)
        root = square.sqrt().div_((1 - rates.beta2**step).sqrt().to(kind)).add_(self.eps)
        return moved.div_(root).add_(weights)


@dataclass(frozen=True)
class RMSprop:
    """p - lr g / (sqrt(v) + eps), as `torch.optim.RMSprop`; its alpha is beta2, beta1 not used."""

    eps: float
    moments: ClassVar[tuple[str, ...]] = ("square_avg",)
    ahead: ClassVar[Callable[..., Any] | None] = None

    def __call__(
        self, weights: Tensor, gradient: Tensor, moments: Moments, step: int, rates: Rates
    ) -> Tensor:
        """Tieleman and Hinton 2012, lecture 6.5."""
        kind, square = weights.dtype, moments["square_avg"]
        square.mul_(rates.beta2.to(kind))
        square.addcmul_(gradient, gradient * (1 - rates.beta2).to(kind))
        root = square.sqrt().add_(self.eps)
        return (gradient * (-rates.learning_rate).to(kind)).div_(root).add_(weights)


@dataclass(frozen=True)
class SGD:
    """p - lr g; the betas are not used."""

    moments: ClassVar[tuple[str, ...]] = ()
    ahead: ClassVar[Callable[..., Any] | None] = staticmethod(differentiable.sgd)
    eps: ClassVar[float] = 0.0

    def __call__(
        self, weights: Tensor, gradient: Tensor, moments: Moments, step: int, rates: Rates
    ) -> Tensor:
        """One step downhill."""
        return torch.addcmul(weights, gradient, (-rates.learning_rate).to(weights.dtype))


RULES: Mapping[str, Rule] = {  # eps as in conf/optimizer
    "adam": Adam(eps=1e-8),
    "rmsprop": RMSprop(eps=1e-10),
    "sgd": SGD(),
}


def rule_of(optimizer: str) -> Rule:
    """The rule of that name.

    Raises:
        ValueError: there is none.
    """
    if optimizer not in RULES:
        raise ValueError(f"optimizer is {optimizer!r}; choose {', '.join(RULES)}")
    return RULES[optimizer]
