"""Compute digests of both players' weights along a training, and keep them for digests.json."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn

from bench.models.base import GenerativeModel
from bench.runs.digests import DIGITS, digest_steps, read_digests, step_of_digest, write_digests


def module_digest(module: nn.Module) -> str:
    """SHA-256 over names, types, shapes and bytes of a module's state, 32 hex digits."""
    return _digest(sorted(module.state_dict().items()))


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 over type, shape and bytes of a tensor, 32 hex digits."""
    return _digest([("", tensor)])


def _digest(tensors: Iterable[tuple[str, Tensor]]) -> str:
    digest = hashlib.sha256()
    for name, tensor in tensors:
        content = tensor.detach().cpu().contiguous()
        digest.update(f"{name}/{content.dtype}/{tuple(content.shape)}/".encode())
        digest.update(content.numpy().tobytes())
    return digest.hexdigest()[:DIGITS]


class DigestLog:
    """Collect the digests of a run while it trains, at steps that its budget `d_steps` sets."""

    def __init__(self, path: Path, d_steps: int) -> None:
        self.path, self.steps = path, frozenset(digest_steps(d_steps))
        self.entries: dict[str, str] = {}

    def resume(self, model: GenerativeModel) -> None:
        """Load the digests up to the model's step; at step 0 digest the initial weights."""
        if model.d_steps == 0:
            self.entries = {"step-0": module_digest(model)}
            return
        self.entries = {
            name: digest
            for name, digest in read_digests(self.path).items()
            if (step := step_of_digest(name)) is not None and step <= model.d_steps
        }

    def add(self, model: GenerativeModel) -> None:
        """Digest the present weights."""
        self.entries[f"step-{model.d_steps}"] = module_digest(model)

    def write(self) -> None:
        """Replace the file."""
        write_digests(self.path, self.entries)
