"""Draw samples from a trained generator, without data set or discriminator."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.batch import Batch, Labels, Latent
from bench.core.pixels import pixel_range, to_unit
from bench.networks.batch_statistics import RUNNING, BatchStatistics

Prior = Callable[[int, int, torch.Generator], Tensor]


def takes_labels(network: Any) -> bool:
    """Return whether a network's `forward` asks for the classes of its samples, `labels` [B].

    A network around another says by an attribute of this name what that one takes.
    """
    stated = getattr(network, "takes_labels", None)
    if stated is not None:
        return bool(stated)
    parameter = inspect.signature(network.forward).parameters.get("labels")
    return parameter is not None and parameter.kind is not parameter.VAR_KEYWORD


def generate(generator: nn.Module, latent: Latent) -> Tensor:
    """G(z) or G(z, c): samples [B, ...], images in the suite's range, black at 0 and white at 1.

    Nothing is clipped: an unbounded generator may leave the range.
    """
    return to_unit(generator(latent.z, **latent.labels), pixel_range(generator))


def draw_labels(
    class_counts: Sequence[int] | None, count: int, generator: torch.Generator
) -> Labels:
    """Draw classes with the frequencies of the training split.

    Args:
        class_counts: its number of samples of each class, [K]; None for a model without labels.
        count: number of labels, N.
        generator: the stream of the latents, drawn from after them.

    Returns:
        {"labels": [N]}, int64 on the generator's device; {} without classes.
    """
    if class_counts is None:
        return {}
    weights = torch.tensor(class_counts, dtype=torch.float64)
    weights = weights.to(generator.device, non_blocking=True)  # a few bytes: nothing waits
    return {"labels": torch.multinomial(weights, count, replacement=True, generator=generator)}


@dataclass(frozen=True)
class Sampler:
    """Draw samples from a generator in evaluation mode: all that a run needs to sample.

    Args:
        generator: latents [B, L], and labels [B] if it asks for them -> samples [B, ...].
        prior: a function of `bench.models.priors`.
        latent_dim: L, the width of the latents.
        class_counts: number of training samples of each class, [K], by whose shares labels are
            drawn; None for a generator without labels.
        batch_norm: what batch norm normalises by.
    """

    generator: nn.Module
    prior: Prior
    latent_dim: int
    class_counts: Sequence[int] | None = None
    batch_norm: BatchStatistics = RUNNING

    @property
    def function_evaluations(self) -> int:
        """Passes through a network for each sample: 1, or what the generator says of itself."""
        return getattr(self.generator, "function_evaluations", 1)

    @property
    def classes(self) -> list[int]:
        """Return the classes that it was trained on; none for a generator without labels."""
        return [k for k, count in enumerate(self.class_counts or ()) if count]

    def draw(self, count: int, latents: torch.Generator) -> Latent:
        """Draw latents [count, L] and, for a conditional generator, then labels [count]."""
        z = self.prior(count, self.latent_dim, latents)
        return Latent(z, draw_labels(self.class_counts, count, latents))

    def batches(
        self, count: int, latents: torch.Generator, size: int, labels: Tensor | None = None
    ) -> Iterator[Batch]:
        """Yield `count` samples in batches of at most `size`, float32 [B, ...], with their labels.

        Args:
            latents: random generator; all latents are drawn at once on its device, so with one on
                the CPU every machine scores the same latents.
            labels: classes to draw samples of, [count], in place of random ones.
        """
        drawn = self.draw(count, latents)
        if labels is not None:
            drawn = drawn._replace(labels={"labels": labels})
        size = self.batch_norm.batch_size(size)
        classes = {name: part.split(size) for name, part in drawn.labels.items()}
        with self.batch_norm.applied(self.generator, self._draw_batch):
            for index, part in enumerate(drawn.z.split(size)):
                own = {name: parts[index] for name, parts in classes.items()}
                yield self._generate(Latent(part, own))

    def _draw_batch(self, count: int, latents: torch.Generator) -> None:
        self._generate(self.draw(count, latents))

    def _generate(self, latent: Latent) -> Batch:
        """Return samples of latents, on the generator's device."""
        device = next(self.generator.parameters()).device
        labels = {name: part.to(device) for name, part in latent.labels.items()}
        with torch.no_grad():  # around a yield it would outlast a caller who stops early
            samples = generate(self.generator, Latent(latent.z.to(device), labels))
        return Batch(samples, labels)

    def samples(
        self, count: int, latents: torch.Generator, size: int, labels: Tensor | None = None
    ) -> Tensor:
        """Return `count` samples at once, float32 [count, ...]: see `batches`."""
        parts = self.batches(count, latents, size, labels)
        return torch.cat([batch.samples for batch in parts])
