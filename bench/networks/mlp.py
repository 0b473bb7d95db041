"""Multilayer perceptrons for points [B, D]; generators have a linear output.

After the toy networks of Gulrajani et al. 2017 (arXiv:1704.00028), section 4: three hidden ReLU
layers. Initial weights are torch's default for linear layers, drawn from the run's own stream.
"""

import math

import torch
from torch import Tensor, nn

from bench.core.number_checks import require_whole_number
from bench.networks.layers import BatchNorm, check_sizes


class Perceptron(nn.Sequential):
    """[B, inputs] -> [B, outputs] through `depth` hidden ReLU layers of `width` units.

    With batch norm before each hidden activation but the first, from the batch alone.
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, batch_norm: bool) -> None:
        check_sizes(inputs=inputs, outputs=outputs, width=width)
        require_whole_number("the network's depth", depth, 0)
        layers: list[nn.Module] = []
        for position in range(depth):
            layers.append(nn.Linear(inputs if position == 0 else width, width))
            if batch_norm and position > 0:
                layers.append(BatchNorm(width, momentum=None))
            layers.append(nn.ReLU())
        super().__init__(*layers, nn.Linear(width if depth else inputs, outputs))

    def reset(self, generator: torch.Generator) -> None:
        """Uniform weights and biases within 1 / sqrt(fan in), torch's own default."""
        for layer in self:
            if isinstance(layer, nn.Linear):
                bound = 1 / math.sqrt(layer.in_features)
                nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def generator(shape: list[int], latent_dim: int, *, width: int, depth: int) -> Perceptron:
    """Latents [B, L] -> points [B, D], unbounded; also the VAE's decoder."""
    return Perceptron(latent_dim, shape[0], width=width, depth=depth, batch_norm=False)


class ConditionalGenerator(nn.Module):
    """Latents [B, L] and labels [B] -> points [B, D]: the class enters as K numbers, one of them 1.

    Mirza and Osindero 2014 (arXiv:1411.1784), section 3.2.

    Args:
        shape: [D].
        latent_dim: L.
        classes: K.
        width, depth: as in `Perceptron`.
    """

    def __init__(
        self, shape: list[int], latent_dim: int, *, classes: int, width: int, depth: int
    ) -> None:
        super().__init__()
        check_sizes(latent_dim=latent_dim, classes=classes)
        self.classes = classes
        self.net = generator(shape, latent_dim + classes, width=width, depth=depth)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights, see `Perceptron`."""
        self.net.reset(generator)

    def forward(self, latent: Tensor, labels: Tensor) -> Tensor:
        """Return points [B, D] of latents [B, L] and labels [B] in [0, K)."""
        every = torch.arange(self.classes, device=labels.device)
        one_hot = (labels[:, None] == every).to(latent.dtype)
        return self.net(torch.cat([latent, one_hot], dim=1))


class Discriminator(Perceptron):
    """Points [B, D] -> logits [B]."""

    def __init__(self, shape: list[int], *, width: int, depth: int, batch_norm: bool) -> None:
        super().__init__(shape[0], 1, width=width, depth=depth, batch_norm=batch_norm)

    def forward(self, points: Tensor) -> Tensor:
        """Return logits [B] of points [B, D]."""
        return super().forward(points).squeeze(1)

    @property
    def score(self) -> nn.Module:
        """The last layer."""
        return self[-1]

    def features(self, points: Tensor) -> Tensor:
        """Return the inputs of the last layer, [B, width]."""
        for layer in list(self)[:-1]:
            points = layer(points)
        return points


class Autoencoder(nn.Module):
    """Points [B, D] -> reconstructions [B, D]: BEGAN's discriminator."""

    def __init__(
        self, shape: list[int], *, code: int, width: int, depth: int, batch_norm: bool
    ) -> None:
        super().__init__()
        check_sizes(code=code)
        self.encoder = Perceptron(shape[0], code, width=width, depth=depth, batch_norm=batch_norm)
        self.decoder = Perceptron(code, shape[0], width=width, depth=depth, batch_norm=batch_norm)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        self.encoder.reset(generator)
        self.decoder.reset(generator)

    def forward(self, points: Tensor) -> Tensor:
        """Return reconstructions of points, [B, D]."""
        return self.decoder(self.encoder(points))


class Encoder(Perceptron):
    """Points [B, D] -> (mean, sigma) of q(z | x), each [B, L]; sigma > 1e-6."""

    def __init__(
        self, shape: list[int], latent_dim: int, *, width: int, depth: int, batch_norm: bool
    ) -> None:
        super().__init__(shape[0], 2 * latent_dim, width=width, depth=depth, batch_norm=batch_norm)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and sigma, [B, L] each, of points [B, D]."""
        mean, unbounded = super().forward(points).chunk(2, dim=1)
        return mean, 1e-6 + nn.functional.softplus(unbounded)
