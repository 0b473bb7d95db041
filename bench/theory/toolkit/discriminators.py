"""Train a discriminator against a generator that stands still."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from bench.core.objective import Objective

NextBatch = Callable[[], tuple[Tensor, Tensor]]  # the next real and fake samples, [B, ...] each


def train_discriminator(
    discriminator: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    next_batch: NextBatch,
    steps: int,
    *,
    source: torch.Generator,
    decay_rate: bool = False,
) -> Iterator[int]:
    """Take the discriminator's steps; yields the number taken, from 0 to `steps`.

    Args:
        discriminator: samples [B, ...] -> logits [B], changed in place.
        source: random generator of the penalty's numbers.
        decay_rate: lower the learning rate linearly to 0, so that the end is no random walk.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    for step in range(steps):
        yield step
        if decay_rate:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * (1 - step / steps)
        real, fake = next_batch()
        inputs = objective.penalty.random_inputs if objective.penalty else {}
        draws = {
            name: (torch.rand if wanted.distribution == "uniform" else torch.randn)(
                wanted.shape(real), generator=source
            )
            for name, wanted in inputs.items()
        }
        loss = objective.discriminator_loss(discriminator, real, fake, draws)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if objective.constraint is not None:
            objective.constraint(discriminator.parameters())
    yield steps
