"""Spectral normalisation: Miyato et al. 2018 (arXiv:1802.05957), equation 8 and Algorithm 1.

Codes differ in how they follow the largest singular value: a `Dialect` says how. The vectors u and
v are buffers, and constants for the gradient. They move only in passes that are meant to train the
network, which set `moves`: a penalty, a diagnosis or a picture leaves them alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from bench.core.number_checks import require_whole_number
from bench.networks.reparametrised import Reparametrised

Iteration = Callable[..., tuple[Tensor, Tensor]]  # (matrix, u, v, eps=) -> next u and v


def left_first(matrix: Tensor, u: Tensor, v: Tensor, *, eps: float) -> tuple[Tensor, Tensor]:
    """u <- N(W v), then v <- N(W^T u), with N(x) = x / max(|x|, eps): torch's `parametrizations`.

    Args:
        matrix: W, [out, in].
        u, v: unit vectors, [out] and [in]; u is not read.
        eps: least norm.
    """
    u = normalize(torch.mv(matrix, v), dim=0, eps=eps)
    return u, normalize(torch.mv(matrix.T, u), dim=0, eps=eps)


def right_first(matrix: Tensor, u: Tensor, v: Tensor, *, eps: float) -> tuple[Tensor, Tensor]:
    """v <- N(W^T u), then u <- N(W v), with N(x) = x / max(|x|, eps): Miyato et al., Algorithm 1.

    Args:
        matrix: W, [out, in].
        u, v: unit vectors, [out] and [in]; v is not read.
        eps: least norm.
    """
    v = normalize(torch.mv(matrix.T, u), dim=0, eps=eps)
    return normalize(torch.mv(matrix, v), dim=0, eps=eps), v


@dataclass(frozen=True)
class Dialect:
    """How u and v follow the weights.

    Args:
        iteration: one power iteration, `left_first` or `right_first`.
        eps: least norm of a vector that is normalised, above 0.
        start_iterations: iterations on the initial weights, at least 0.
        iterates_at_rest: a pass that does not move u and v makes one iteration of its own, which
            it does not keep.

    Raises:
        ValueError: a number is outside its range.

    `torch.nn.utils.parametrizations.spectral_norm` is (left_first, 1e-12, 15, False), torch's older
    `spectral_norm` (right_first, 1e-12, 0, False), ajbrock's BigGAN (right_first, 1e-12, 0, True),
    with 1e-8 by default of its command line; StudioGAN is torch's older one with 1e-6.
    """

    iteration: Iteration
    eps: float
    start_iterations: int
    iterates_at_rest: bool

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise ValueError(f"eps is {self.eps}; it is the least norm of a vector: above 0")
        require_whole_number("start_iterations", self.start_iterations, 0)


class SpectralNorm(Reparametrised):
    """A network whose every weight W of two or more axes is W / sigma, sigma = u^T W v ~ |W|_2.

    Embeddings of classes are matrices like others. A weight of zeros has no
    sigma: its quotient is NaN.

    Args:
        net: a network with `reset`, whose attributes and methods are this one's, too: its methods
            compute with W / sigma; its weights and layers are reached through `net`.
        dialect: how u and v follow W.

    Attributes:
        moves: a pass moves u and v by one iteration, in place, before it uses them.

    Raises:
        ValueError: the network has no such weight, or one that two layers share.
    """

    moves = False

    def __init__(self, net: Any, dialect: Dialect) -> None:
        super().__init__(net)
        self.dialect = dialect
        for name in self.axes:
            for side, size in zip("uv", self._matrix(name).shape, strict=True):
                start = torch.full((size,), size**-0.5)  # of length 1, replaced by `reset`
                self.register_buffer(f"{side}_{name.replace('.', '__')}", start)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights, then u and v, and make the dialect's first iterations."""
        self.net.reset(generator)
        with torch.no_grad():
            for name in self.axes:
                if not self._weight(name).any():
                    raise ValueError(
                        f"spectral norm divides by the largest singular value, and the weight "
                        f"{name} starts at 0: choose another normalisation= or network="
                    )
                u, v = vectors = self._vectors(name)
                for vector in vectors:
                    drawn = torch.randn(vector.shape, generator=generator, dtype=vector.dtype)
                    vector.copy_(normalize(drawn, dim=0, eps=self.dialect.eps))
                for _ in range(self.dialect.start_iterations):
                    self._store(u, v, self._iterate(self._matrix(name), u, v))

    def normalised_weights(self) -> dict[str, Tensor]:
        """Return W / sigma by the weight's name in the network; move u and v if `moves`."""
        device = next(self.net.parameters()).device.type
        with torch.autocast(device, enabled=False):  # sigma with 8 bits would be 0.4 % off
            return {name: self._weight(name) / self._sigma(name) for name in self.axes}

    def _sigma(self, name: str) -> Tensor:
        """Return u^T W v, []; its gradient by W is u v^T."""
        matrix, (u, v) = self._matrix(name), self._vectors(name)
        if self.moves or self.dialect.iterates_at_rest:
            next_u, next_v = self._iterate(matrix.detach(), u, v)
            if self.moves:
                self._store(u, v, (next_u, next_v))
        else:  # copies: the next move must not change what autograd keeps of this pass
            next_u, next_v = u.clone(), v.clone()
        return torch.dot(next_u, torch.mv(matrix, next_v))

    def _iterate(self, matrix: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return u and v after one power iteration."""
        return self.dialect.iteration(matrix, u, v, eps=self.dialect.eps)

    def _store(self, u: Tensor, v: Tensor, following: tuple[Tensor, Tensor]) -> None:
        """Write the next u and v into the buffers."""
        for buffer, value in zip((u, v), following, strict=True):
            buffer.copy_(value)

    def _vectors(self, name: str) -> tuple[Tensor, Tensor]:
        """Return the buffers u and v of a weight."""
        short = name.replace(".", "__")
        return self.get_buffer(f"u_{short}"), self.get_buffer(f"v_{short}")
