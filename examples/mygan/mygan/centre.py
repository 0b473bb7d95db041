"""Keep the mean score of real samples near its own moving average."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Centre:
    """(E f(x) - a)^2, then a <- decay a + (1 - decay) E f(x).

    Args:
        decay: in [0, 1).
    """

    decay: float

    initial_state = {"average": 0.0}

    def __call__(
        self, real_logits: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the term, a scalar, and the next state, from logits [B]."""
        mean, average = real_logits.mean(), state["average"]
        moved = self.decay * average + (1 - self.decay) * mean.detach()
        return (mean - average).square(), {"average": moved}
