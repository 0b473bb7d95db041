"""Discriminators of points that draw from, or start at, the process's global generators."""

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from bench.networks.layers import initialise


class Dropout(nn.Module):
    """[B, 2] -> [B], with torch's own dropout."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, width), nn.ReLU(), nn.Dropout(0.5), nn.Linear(width, 1)
        )

    def reset(self, generator) -> None:
        initialise(self, generator, std=0.5)

    def forward(self, samples: Tensor) -> Tensor:
        return self.net(samples).squeeze(-1)


class SpectralNorm(Dropout):
    """The same with torch's own spectral norm, of which each layer keeps two vectors."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.net = nn.Sequential(
            spectral_norm(nn.Linear(2, width)), nn.ReLU(), spectral_norm(nn.Linear(width, 1))
        )
