"""Values of published codes, from golden/modern.json, and the inputs that they were made from.

Each entry names its repository, commit and file. Tensors are sines, so that nothing is drawn.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

ENTRIES = json.loads((Path(__file__).parent / "golden" / "modern.json").read_text())


def golden(name: str) -> dict:
    """Return what the published code gave."""
    return ENTRIES[name]["expected"]


def fill(*shape: int, step: float, phase: float = 0.0, scale: float = 1.0) -> Tensor:
    """scale sin(step k + phase), k = 0, 1, ... in C order over the shape, in float64."""
    count = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (scale * torch.sin(step * count + phase)).reshape(shape)


def toy_critic() -> SimpleNamespace:
    """Return D(x) = a . tanh(W x) with its weights, three real and three generated samples."""
    toy = SimpleNamespace(
        weight=fill(4, 8, step=0.3, phase=0.1, scale=0.5).requires_grad_(),
        score=fill(4, step=0.8, phase=0.4).requires_grad_(),
        real=fill(3, 2, 2, 2, step=0.4, phase=0.1),
        fake=fill(3, 2, 2, 2, step=0.3, phase=1.1),
    )
    toy.critic = lambda x: torch.tanh(x.flatten(1) @ toy.weight.T) @ toy.score
    return toy
