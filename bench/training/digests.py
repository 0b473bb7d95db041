"""Compute digests of both players' weights along a training, and keep them for digests.json."""

import hashlib
import re
from pathlib import Path

from torch import Tensor, nn

from bench.models.base import GenerativeModel
from bench.runs.digests import DIGITS, digest_steps, read_digests, step_of_digest, write_digests

# published digests call the second network "opponent"
PLAYER = re.compile(r"^(discriminator|autoencoder|encoder)\.")


def module_digest(module: nn.Module) -> str:
    """SHA-256 over names, types, shapes and bytes of a module's state, 32 hex digits."""
    digest = hashlib.sha256()
    state = ((PLAYER.sub("opponent.", name), t) for name, t in module.state_dict().items())
    for name, tensor in sorted(state, key=lambda pair: pair[0]):
        _add(digest, name, tensor)
    return digest.hexdigest()[:DIGITS]


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 over type, shape and bytes of a tensor, 32 hex digits."""
    digest = hashlib.sha256()
    _add(digest, "", tensor)
    return digest.hexdigest()[:DIGITS]


def _add(digest: "hashlib._Hash", name: str, tensor: Tensor) -> None:
    content = tensor.detach().cpu().contiguous()
    digest.update(f"{name}/{content.dtype}/{tuple(content.shape)}/".encode())
    digest.update(content.numpy().tobytes())


class DigestLog:
    """Collect the digests of a run while it trains.

    Args:
        path: the run's digests.json.
        d_steps: the budget, which determines the steps to digest.
    """

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
