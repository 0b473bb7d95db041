"""Data sets: archives with checksums -> arrays -> tensors on the device -> endless batches."""

from bench.core.shims import ensure_torchvision

ensure_torchvision()  # before Lightning, which imports torchvision through torchmetrics
