"""Weight normalisation: Salimans and Kingma 2016 (arXiv:1602.07868), equation 2."""

from typing import Any

import torch
from torch import Tensor, nn

from bench.networks.reparametrised import Reparametrised


class WeightNorm(Reparametrised):
    """A network whose every weight of two or more axes is g v / |v| for each output.

    At the start g = |v|, so that the network is what it was.

    Args:
        net: a network with `reset`, see `Reparametrised`.

    Raises:
        ValueError: `reset` draws a weight of zeros.

    Deviation: the paper starts scales and biases by a first batch of data.
    """

    def __init__(self, net: Any) -> None:
        super().__init__(net)
        sizes = {name: len(self._matrix(name)) for name in self.axes}
        self.scales = nn.ParameterDict(
            {name.replace(".", "__"): torch.ones(size) for name, size in sizes.items()}
        )

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights v, and set g to their norms."""
        self.net.reset(generator)
        with torch.no_grad():
            for name in self.axes:
                lengths = self._matrix(name).norm(dim=1)
                if not lengths.all():
                    raise ValueError(
                        f"weight norm divides by the length of a weight, and the weight {name} "
                        "starts at 0: choose another normalisation= or network="
                    )
                self.scales[name.replace(".", "__")].copy_(lengths)

    def normalised_weights(self) -> dict[str, Tensor]:
        """Return g v / |v| by the weight's name in the network."""
        found = {}
        for name, axis in self.axes.items():
            factor = self.scales[name.replace(".", "__")] / self._matrix(name).norm(dim=1)
            weight = self._weight(name)
            column = [1] * weight.ndim
            column[axis] = -1
            found[name] = weight * factor.reshape(column)
        return found
