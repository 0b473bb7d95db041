"""Discriminators trained against a generator that stands still."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from bench.core.objective import Objective

Batch = Callable[[], tuple[Tensor, Tensor]]  # the next real and fake samples, [B, ...] each


def fitted(
    critic: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    steps: int,
    *,
    source: torch.Generator,
    settle: bool = False,
) -> Iterator[int]:
    """Take the discriminator's steps; yields the number taken, from 0 to `steps`.

    Args:
        critic: samples [B, ...] -> logits [B], changed in place.
        source: of the penalty's draws.
        settle: the learning rate falls linearly to 0, so that the end is no random walk.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    for step in range(steps):
        yield step
        if settle:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * (1 - step / steps)
        real, fake = batch()
        asked = objective.penalty.draws if objective.penalty else {}
        draws = {
            name: (torch.rand if draw.distribution == "uniform" else torch.randn)(
                draw.shape(real), generator=source
            )
            for name, draw in asked.items()
        }
        loss = objective.discriminator_loss(critic, real, fake, draws)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if objective.constraint is not None:
            objective.constraint(critic.parameters())
    yield steps
