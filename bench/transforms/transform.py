"""Base classes of transforms, and the random numbers of several."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from bench.core.batch import Batch, Critic, Outputs
from bench.core.parts import RandomInput, Transform


class SampleTransform:
    """An operation on samples alone: a subclass defines `random_inputs` and `augment`."""

    def augment(self, samples: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
        """Return changed samples [B, ...] from samples [B, ...] and the draws of their batch."""
        raise NotImplementedError(f"{type(self).__name__} does not define augment")

    def __call__(self, critic: Critic) -> Critic:
        """Return the critic of changed samples."""

        def augmented_critic(batch: Batch) -> Outputs:
            return critic(batch._replace(samples=self.augment(batch.samples, batch.draws)))

        return augmented_critic


class ImageTransform(SampleTransform):
    """An operation on images [B, C, H, W], refused on points."""

    images_only = True


def merge_random_inputs(transforms: Iterable[Transform]) -> dict[str, RandomInput]:
    """Return the random numbers that several transforms need, by name.

    Raises:
        ValueError: two of them use one name, and would act on the same numbers.
    """
    merged: dict[str, RandomInput] = {}
    for transform in transforms:
        if twice := merged.keys() & transform.random_inputs.keys():
            raise ValueError(
                f"two transforms draw {min(twice)!r}, and would use the same random numbers: "
                "list each transform once"
            )
        merged |= transform.random_inputs
    return merged
