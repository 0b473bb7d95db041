"""One run from config to row: build, train, watch, keep, score."""

from bench.core.shims import ensure_torchvision

ensure_torchvision()  # before Lightning, which imports torchvision through torchmetrics
