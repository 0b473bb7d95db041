"""Networks that compute with functions of their weights: W / sigma, g v / |v|."""

import inspect
from functools import partial
from operator import attrgetter
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from bench.networks.sampler import takes_labels


class Reparametrised(nn.Module):
    """Compute with a function of every weight of two or more axes of a network.

    A subclass defines `normalised_weights`. Kernels are matrices [out, rest]; transposed
    convolutions, whose kernels are [in, out, ...], are [out, rest] too.

    Args:
        net: a network with `reset`, whose attributes and methods are this one's, too: its methods
            compute with the functions of its weights, which are reached through `net`.

    Raises:
        ValueError: the network has no such weight, or one that two layers share.
    """

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        self.axes: dict[str, int] = {}  # weight -> its axis of outputs
        for path, layer in net.named_modules():
            for name, weight in layer.named_parameters(prefix=path, recurse=False):
                if weight.ndim > 1:
                    transposed = isinstance(layer, nn.modules.conv._ConvTransposeNd)
                    self.axes[name] = int(transposed)
        self._require_own_weights()

    @property
    def takes_labels(self) -> bool:
        """Whether the network asks for labels."""
        return takes_labels(self.net)

    def normalised_weights(self) -> dict[str, Tensor]:
        """Return what the network computes with, by the weight's name in the network."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor, **labels: Tensor) -> Any:
        """Return what the network returns with normalised weights: logits [B] of samples [B, ...].

        Args:
            inputs, labels: arguments of the network.
        """
        return self._call("forward", *inputs, **labels)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the network; its methods compute with normalised weights.

        Its layers and tensors are not handed on: they would compute with W itself.
        """
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "net" or name.startswith("_"):
                raise
        value = getattr(self.net, name)
        if isinstance(value, nn.Module | Tensor):
            raise AttributeError(
                f"{type(self).__name__} does not hand on {name!r}: it is not normalised"
            )
        return partial(self._call, name) if inspect.ismethod(value) else value

    def _call(self, method: str, *inputs: Any, **labels: Any) -> Any:
        """Call a method of the network with normalised weights."""
        weights = {f"net.{name}": w for name, w in self.normalised_weights().items()}
        caller = _MethodCaller(self.net)
        return functional_call(caller, weights, (method, *inputs), labels, tie_weights=False)

    def _matrix(self, name: str) -> Tensor:
        """Return a weight as a matrix [out, rest]."""
        return self._weight(name).movedim(self.axes[name], 0).flatten(1)

    def _weight(self, name: str) -> Tensor:
        """Return a weight of the network, or the tensor that stands for it in a functional call."""
        return attrgetter(name)(self.net)

    def _require_own_weights(self) -> None:
        if not self.axes:
            raise ValueError(
                f"{type(self).__name__} normalises weight matrices, and the network has none"
            )
        owners = [id(self._weight(name)) for name in self.axes]
        if len(set(owners)) < len(owners):
            raise ValueError(
                f"{type(self).__name__} cannot normalise a weight that two layers share"
            )


class _MethodCaller(nn.Module):
    """Call a method of a network in `forward`, so that `functional_call` reaches it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, method: str, *inputs: Any, **labels: Any) -> Any:
        """Call a method of the network."""
        return getattr(self.net, method)(*inputs, **labels)
