"""Digests of weights along a training, from both players, written where a checkpoint is."""

import hashlib
import re
from pathlib import Path

from torch import Tensor, nn

from bench.models.base import GenerativeModel
from bench.runs.digests import DIGITS, digest_steps, read_digests, step_of, write_digests

# digests of published runs call the second network so
PLAYER = re.compile(r"^(discriminator|autoencoder|encoder)\.")


def module_digest(module: nn.Module) -> str:
    """SHA-256 over names, types, shapes and bytes of a module's state, 32 hex digits."""
    found = hashlib.sha256()
    named = ((PLAYER.sub("opponent.", name), t) for name, t in module.state_dict().items())
    for name, tensor in sorted(named, key=lambda pair: pair[0]):
        _add(found, name, tensor)
    return found.hexdigest()[:DIGITS]


def tensor_digest(tensor: Tensor) -> str:
    """The same of one tensor."""
    found = hashlib.sha256()
    _add(found, "", tensor)
    return found.hexdigest()[:DIGITS]


def _add(found: "hashlib._Hash", name: str, tensor: Tensor) -> None:
    content = tensor.detach().cpu().contiguous()
    found.update(f"{name}/{content.dtype}/{tuple(content.shape)}/".encode())
    found.update(content.numpy().tobytes())


class DigestLog:
    """The chain of a run that trains.

    Args:
        path: its file.
        d_steps: the budget.
    """

    def __init__(self, path: Path, d_steps: int) -> None:
        self.path, self.points = path, frozenset(digest_steps(d_steps))
        self.entries: dict[str, str] = {}

    def resume(self, model: GenerativeModel) -> None:
        """Go on with what was known where the model stands; begin with its initial weights."""
        if model.d_steps == 0:
            self.entries = {"step-0": module_digest(model)}
            return
        known = {name: (step_of(name), digest) for name, digest in read_digests(self.path).items()}
        self.entries = {
            name: digest
            for name, (step, digest) in known.items()
            if step is not None and step <= model.d_steps
        }

    def add(self, model: GenerativeModel) -> None:
        """Digest the weights as they are."""
        self.entries[f"step-{model.d_steps}"] = module_digest(model)

    def write(self) -> None:
        """Replace the file."""
        write_digests(self.path, self.entries)
