"""Import torch-fidelity, and resize and normalise images as its networks do.

torch-fidelity (Obukhov et al. 2020, doi:10.5281/zenodo.4957738) takes whole grey levels only. Here
images stay floats: the study scores images that were never rounded. For rounded images the
features are torch-fidelity's own (tests compare them).
"""

import importlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.errors import UserError
from bench.core.shims import ensure_torchvision


def import_torch_fidelity(name: str, module: str) -> Any:
    """Import torch_fidelity.<module>, or raise a UserError; late: torchvision takes a second."""
    try:
        ensure_torchvision()
        return importlib.import_module(f"torch_fidelity.{module}")
    except (ImportError, RuntimeError) as error:
        raise UserError(
            f"features {name!r} needs torch-fidelity, which cannot be imported: {error}",
            fix="pip install 'created-equal[inception]'",
        ) from error


def read_metadata(name: str, module: Any, kind: str, model: str) -> Any:
    """Return what torch-fidelity's module states about a model, or raise a UserError."""
    if model not in module.MODEL_METADATA:
        raise UserError(
            f"features {name!r}: torch-fidelity has no {kind} {model!r}",
            fix=f"set features.model to one of {', '.join(module.MODEL_METADATA)}",
        )
    return module.MODEL_METADATA[model]


class ResizeAndNormalise(nn.Module):
    """Images [B, 1 or 3, H, W] in [0, 1] -> (resized grey levels - mean) / deviation, 3 channels.

    The resize is TensorFlow 1's bilinear one, as in torch-fidelity for all of its networks. A grey
    image is resized once and repeated in three channels, as the study did.

    Args:
        side: height and width of the result, [B, 3, side, side].
        mean, deviation: by channel, in grey levels of 0 to 255.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, name: str, side: int, mean: Sequence[float], deviation: Sequence[float]
    ) -> None:
        super().__init__()
        module = import_torch_fidelity(name, "interpolate_compat_tensorflow")
        self._interpolate = module.interpolate_bilinear_2d_like_tensorflow1x
        self.name, self.side = name, side
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).reshape(3, 1, 1))

    @property
    def resize(self) -> str:
        """Description of the resize, as a protocol holds it."""
        return f"bilinear {self.side}x{self.side}, TensorFlow 1"

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1 or 3, H, W] in [0, 1] -> [B, 3, side, side]; UserError for other samples."""
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise UserError(
                f"features {self.name!r} takes images of 1 or 3 channels, "
                f"found samples of shape {list(images.shape[1:])}",
                fix="choose features=NAME made for this dataset",
            )
        levels = self._interpolate(images * 255, size=(self.side, self.side), align_corners=False)
        return (levels - self.mean) / self.deviation


class PublishedExtractor(nn.Module):
    """Images [B, 1 or 3, H, W] of any size in [0, 1] -> (features [B, F], None).

    Args:
        weight_hash: SHA-256 of the weights file.
        intake: first step: images -> the network's input.
        network: input -> features.
        width: F.
    """

    def __init__(
        self, name: str, weight_hash: str, intake: ResizeAndNormalise, network: Any, width: int
    ) -> None:
        super().__init__()
        self.name, self.weight_hash, self.resize = name, weight_hash, intake.resize
        self.intake, self.network, self.width = intake, network, width
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Images [B, 1 or 3, H, W] in [0, 1] -> features [B, F] without logits, or UserError."""
        return self.network(self.intake(images)), None
