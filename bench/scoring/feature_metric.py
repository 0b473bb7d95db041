"""Base class of the torchmetrics classes: a metric of samples that pass through an extractor.

Lightning converts, trains, saves and autocasts every submodule of a LightningModule. A score must
not depend on that: the extractor is never changed, states keep their precision, only devices move.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.shims import ensure_torchvision
from bench.scoring.features import quantise_images

ensure_torchvision()  # before torchmetrics, which imports torchvision

from torchmetrics import Metric  # noqa: E402
from torchmetrics.utilities import rank_zero_warn  # noqa: E402
from torchmetrics.utilities.distributed import gather_all_tensors  # noqa: E402

__all__ = ["FeatureMetric", "gather_all_tensors"]
NO_FLOAT64 = frozenset({"mps"})


class FeatureMetric(Metric):
    """Samples -> features and logits, checked.

    The extractor is no submodule: a checkpoint does not hold its weights, `parameters()` and
    `train()` do not reach it, `half()` and a trainer's precision do not change it. The metric
    starts on the extractor's device and moves together with it; on a device without float64 (mps),
    states stay on the CPU and a warning says so.

    Args:
        extractor: samples [B, ...] -> (features [B, F], logits [B, K] or None), with an attribute
            `width`, F; put into evaluation mode.
        quantise: round images to 256 levels first; has no meaning for points [B, D].
        gather: torchmetrics' `dist_sync_fn`, which gathers a state from all processes; None: its
            own.

    Raises:
        ValueError: the extractor has no integer attribute `width`.
    """

    is_differentiable = False
    full_state_update = False

    def __init__(
        self, extractor: nn.Module, quantise: bool, gather: Callable[..., list[Tensor]] | None
    ) -> None:
        super().__init__(dist_sync_fn=gather)
        width = getattr(extractor, "width", None)
        if not isinstance(width, int):
            raise ValueError(f"{self}: the extractor needs an attribute width, found {width!r}")
        self.width, self.quantise = width, quantise
        self._extractor = (extractor.eval(),)  # in a tuple, where nn.Module does not find it
        self._dtype = torch.float32  # of the vector that a process without samples gathers
        tensors = (*extractor.parameters(), *extractor.buffers())
        self._device = tensors[0].device if tensors else self._device
        self._warn_cpu_states()

    def __repr__(self) -> str:
        return type(self).__name__

    @property
    def extractor(self) -> nn.Module:
        """The extractor, which is no submodule."""
        return self._extractor[0]

    @property
    def state_device(self) -> torch.device:
        """Device of the states: the metric's, or the CPU where that has no float64."""
        return torch.device("cpu") if self.device.type in NO_FLOAT64 else self.device

    def extract(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return the samples that the extractor reads, their features and logits, no gradients.

        Args:
            samples: images [B, C, H, W], float in [0, 1] or uint8, or points [B, D].

        Raises:
            ValueError: the samples are neither, or the extractor returns something else.
            FloatingPointError: a sample or feature is not finite: the generator has diverged.
        """
        samples = self._check_samples(samples).to(self.device)
        if self.quantise and samples.ndim == 4:
            samples = quantise_images(samples)
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            output = self.extractor(samples)
        if not isinstance(output, tuple) or len(output) != 2:
            raise ValueError(f"{self}: the extractor must return (features, logits or None)")
        features, logits = output
        if features.shape != (len(samples), self.width):
            wanted = [len(samples), self.width]
            raise ValueError(f"{self}: features of shape {list(features.shape)}, not {wanted}")
        if not all(torch.isfinite(part).all() for part in output if part is not None):
            raise FloatingPointError("a feature is not finite")
        return samples, features, logits

    def _check_samples(self, samples: Tensor) -> Tensor:
        """Return samples as float32; refuse any that are not finite, and images outside [0, 1]."""
        shape = list(samples.shape) if isinstance(samples, Tensor) else type(samples).__name__
        if not isinstance(samples, Tensor) or samples.ndim not in (2, 4) or 0 in samples.shape:
            raise ValueError(f"{self}: samples are [B, C, H, W] or [B, D], found {shape}")
        if samples.dtype == torch.uint8 and samples.ndim == 4:
            return samples.float().div(255)
        if not samples.is_floating_point():
            raise ValueError(f"{self}: samples are floating point or uint8, found {samples.dtype}")
        samples = samples.detach().float()
        low, high = (edge.item() for edge in samples.aminmax())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise FloatingPointError("a sample is not finite")
        if samples.ndim == 4 and (low < 0 or high > 1):
            raise ValueError(f"{self}: images are in [0, 1], found {low:g} to {high:g}")
        return samples

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Any = ()) -> "FeatureMetric":
        """Move states and extractor to another device, without changing their precision."""
        dtype, before = self._dtype, self.device
        self._computed = self._forward_cache = None
        super()._apply(fn, exclude_state=(*self._defaults, *exclude_state))
        self._dtype = dtype
        self.extractor.to(self.device)
        for name in self._defaults:
            state, device = getattr(self, name), self.state_device
            moved = [p.to(device) for p in state] if isinstance(state, list) else state.to(device)
            setattr(self, name, moved)
        if self.device != before:
            self._warn_cpu_states()
        return self

    def _warn_cpu_states(self) -> None:
        if self.state_device != self.device:
            rank_zero_warn(f"{self}: {self.device.type} has no float64; its states stay on the CPU")
