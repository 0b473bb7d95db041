"""Fit a small classifier to images and measure it: the training loop of `bench features NAME`.

AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101) under the one-cycle schedule (Smith and
Topin 2017, arXiv:1708.07120). Order and augmentation are drawn from one random generator.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from bench.core.seeds import generator
from bench.features.network import ConvNet


@dataclass(frozen=True)
class FitSettings:
    """Hyperparameters of a classifier's training.

    Args:
        epochs, batch_size: an epoch drops its last, partial batch.
        learning_rate: learning rate at the peak of the cycle.
        flip: mirror half of the images left to right.
        shift: largest number of pixels by which each image is moved; its edge is repeated.
        seed: seed of weights, order and augmentation.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    flip: bool
    shift: int
    seed: int


def fit(
    net: ConvNet, images: Tensor, labels: Tensor, settings: FitSettings, log: Callable[[str], None]
) -> None:
    """Minimise the cross-entropy of uint8 images [N, C, H, W] and classes [N], in place.

    The network has batch norm; `log` is called with one line of text after each epoch.
    """
    size = min(settings.batch_size, len(images))
    steps = len(images) // size
    net.train()
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.epochs * steps
    )
    draws = generator(settings.seed, "data")
    start = time.perf_counter()
    for epoch in range(1, settings.epochs + 1):
        total = torch.zeros(())
        order = torch.randperm(len(images), generator=draws)
        for indices in order[: steps * size].split(size):
            batch = augment(images[indices], settings.flip, settings.shift, draws)
            # channels last is twice as fast
            batch = batch.float().div(255).contiguous(memory_format=torch.channels_last)
            loss = cross_entropy(net(batch)[1], labels[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach()
        seconds = time.perf_counter() - start
        log(
            f"epoch {epoch}/{settings.epochs}: loss {total.item() / steps:.4f}, "
            f"{epoch * steps * size / seconds:.0f} images/s, "
            f"{seconds / epoch * (settings.epochs - epoch):.0f} s left"
        )


def augment(images: Tensor, flip: bool, shift: int, draws: torch.Generator) -> Tensor:
    """Mirror each image [B, C, H, W] with probability 1/2, and move it by -shift to +shift."""
    count, channels, height, width = images.shape
    if flip:
        mirrored = torch.rand(count, generator=draws) < 0.5
        images = torch.where(mirrored.reshape(-1, 1, 1, 1), images.flip(3), images)
    if not shift:
        return images
    wide = pad(images.float(), (shift,) * 4, mode="replicate").to(images.dtype)
    top, left = torch.randint(2 * shift + 1, (2, count, 1), generator=draws)
    return wide[
        torch.arange(count).reshape(-1, 1, 1, 1),
        torch.arange(channels).reshape(1, -1, 1, 1),
        (top + torch.arange(height)).reshape(count, 1, height, 1),
        (left + torch.arange(width)).reshape(count, 1, 1, width),
    ]


@torch.no_grad()
def accuracy(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of uint8 images [N, C, H, W] whose largest logit is that of their class [N]."""
    predictions = [net(batch.float() / 255)[1].argmax(1) for batch in images.split(500)]
    return (torch.cat(predictions) == labels).double().mean().item()
