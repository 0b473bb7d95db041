"""LeCam regularisation: Tseng et al. 2021 (arXiv:2104.03310), section 3."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu

from bench.core.coupling import couples_samples
from bench.core.number_checks import require_whole_number


@couples_samples
def lecam(real_logits: Tensor, fake_logits: Tensor, real_mean: Tensor, fake_mean: Tensor) -> Tensor:
    """E[max(0, D(x) - a_fake)^2] + E[max(0, a_real - D(G(z)))^2], a scalar.

    Args:
        real_logits, fake_logits: scores of real and of generated samples, [B].
        real_mean, fake_mean: a_real and a_fake, moving averages of the mean logits, [].

    Deviation: the paper has |D(x) - a_fake|^2 and |D(G(z)) - a_real|^2; the authors' code, which
        made the published numbers, leaves the side without cost on which the hinge is flat.
    """
    above = relu(real_logits - fake_mean).square().mean()
    below = relu(real_mean - fake_logits).square().mean()
    return above + below


@dataclass(frozen=True)
class LeCam:
    """`lecam` with a <- d a + (1 - d) E[D]: both averages move before they are used.

    In the first `start` updates d is 0, so that the averages are the batch's means, and the term
    is 0; then d is decay. With `debias`, d is decay (1 - decay^(n-1)) / (1 - decay^n) in update
    n = 1, 2, ..., so that the averages are weighted means of what they saw.

    The authors' BigGAN code for CIFAR has decay 0.9, initial value 1000, no debiasing and a start
    of 999, and moves the averages at each discriminator step; StudioGAN decay 0.99 and initial
    value 7777. The authors' StyleGAN2 code has decay 0.99, debiasing and start 0.

    Args:
        decay: in [0, 1).
        initial: value of both averages before the first update; it counts only where `start` is 0
            and nothing is debiased: the first terms are then of the order of its square.
        start: updates without memory and term, at least 0.
        debias: debias the averages as TensorFlow's `zero_debias` does.

    Raises:
        ValueError: a number is outside its range.

    Deviation: `start` counts updates, which are discriminator steps; the authors' code and
        StudioGAN count generator steps, the former from 1 (`start_itr` 1000 is start 999): multiply
        by n_dis. Both leave the term out of one more step, the first with memory.
    """

    decay: float
    initial: float
    start: int
    debias: bool

    couples_samples = True

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay is {self.decay}; set it to 0 or more, below 1")
        require_whole_number("start", self.start, 0, meaning="updates of LeCam's averages")

    @property
    def initial_state(self) -> Mapping[str, float]:
        """The averages of real and fake logits, and the count of their updates."""
        return {"real": float(self.initial), "fake": float(self.initial), "updates": 0.0}

    def __call__(
        self, real_logits: Tensor, fake_logits: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the term, a scalar, and the next state.

        Args:
            real_logits, fake_logits: scores of real and of generated samples, [B].
            state: tensors [] by the names of `initial_state`.
        """
        count = state["updates"] + 1
        decay = self.decay_at(count)
        means = {"real": real_logits.detach().mean(), "fake": fake_logits.detach().mean()}
        moved = {name: decay * state[name] + (1 - decay) * mean for name, mean in means.items()}
        term = lecam(real_logits, fake_logits, moved["real"], moved["fake"])
        term = torch.where(count > self.start, term, torch.zeros_like(term))
        return term, {**moved, "updates": count}

    def decay_at(self, count: Tensor) -> Tensor:
        """Return d of update number `count`, [], counted from 1."""
        decay = torch.zeros_like(count) + self.decay
        if self.debias:
            decay = decay * (1 - decay ** (count - 1)) / (1 - decay**count)
        return torch.where(count <= self.start, torch.zeros_like(count), decay)
