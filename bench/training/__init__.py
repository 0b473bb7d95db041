"""Prepare, train and finish one run: Lightning loop, monitor, checkpoints, digests, pictures."""

from bench.core.shims import ensure_torchvision

ensure_torchvision()  # before Lightning, which imports torchvision through torchmetrics
