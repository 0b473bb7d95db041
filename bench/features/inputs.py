"""What an extractor says about samples that it cannot take."""

from collections.abc import Sequence

from torch import Tensor

from bench.core.errors import UserError


def require_shape(name: str, samples: Tensor, shape: Sequence[int]) -> None:
    """Compare the shape of one sample with the one that the extractor was made for.

    Args:
        name: the extractor's name, for the sentence.
        samples: [B, ...].
        shape: the expected shape of one sample.

    Raises:
        UserError: they differ.
    """
    if tuple(samples.shape[1:]) != tuple(shape):
        raise UserError(
            f"features {name!r} takes samples of shape {list(shape)}, "
            f"found {list(samples.shape[1:])}",
            fix="choose features=NAME made for this dataset, or train one with `bench features`",
        )
