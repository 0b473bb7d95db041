"""Training dynamics as LightningModules with manual optimization; the mathematics lies below."""

from bench.core.shims import ensure_torchvision

ensure_torchvision()  # before Lightning, which imports torchvision through torchmetrics
