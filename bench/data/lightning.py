"""Import Lightning after torchvision's operators are declared: torchmetrics imports torchvision."""

from bench.core.shims import ensure_torchvision

ensure_torchvision()

import pytorch_lightning as pl  # noqa: E402
from lightning_fabric.plugins.environments import LightningEnvironment  # noqa: E402

__all__ = ["LightningEnvironment", "pl"]
