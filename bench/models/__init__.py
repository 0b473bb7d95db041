"""Training algorithms as LightningModules with manual optimization."""

from bench.core.shims import ensure_torchvision

ensure_torchvision()  # before Lightning, which imports torchvision through torchmetrics
