"""Check the shape of the samples that an extractor gets."""

from collections.abc import Sequence

from torch import Tensor

from bench.core.errors import UserError


def check_sample_shape(name: str, samples: Tensor, shape: Sequence[int]) -> None:
    """Refuse samples of another shape than the extractor takes.

    Args:
        name: the extractor's name, for the error message.
        samples: [B, ...].
        shape: the expected shape of one sample.

    Raises:
        UserError: the shapes differ.
    """
    if tuple(samples.shape[1:]) != tuple(shape):
        raise UserError(
            f"features {name!r} takes samples of shape {list(shape)}, "
            f"found {list(samples.shape[1:])}",
            fix="choose features=NAME made for this dataset, or train one with `bench features`",
        )
