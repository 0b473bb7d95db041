"""Extractors: samples -> (features, logits), which scores compare instead of pixels.

An extractor is a torch.nn.Module in evaluation mode with the attributes `name` (in the protocol of
each score), `width` (F), `weight_hash` (SHA-256 of its weights file, "" if it has none) and
`resize` ("none" or a description); its forward maps images float32 [B, C, H, W] in [0, 1], or
points float32 [B, D], to (features [B, F], logits [B, K] or None).
"""

from collections.abc import Sequence

from torch import Tensor

from bench.core.errors import UserError


def check_sample_shape(name: str, samples: Tensor, shape: Sequence[int]) -> None:
    """Refuse, with a UserError, samples [B, ...] of another shape than extractor `name` takes."""
    if tuple(samples.shape[1:]) != tuple(shape):
        raise UserError(
            f"features {name!r} takes samples of shape {list(shape)}, "
            f"found {list(samples.shape[1:])}",
            fix="give samples of that shape, choose features=NAME made for these, or train one "
            "with `bench features`",
        )
