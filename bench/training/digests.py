"""Digests of weights along a training, from both players, written where a checkpoint is."""

import hashlib
from pathlib import Path

from torch import Tensor, nn

from bench.models.base import GenerativeModel
from bench.runs.digests import DIGITS, points, read_chain, step_of, write_chain


def digest_of(module: nn.Module) -> str:
    """SHA-256 over names, types, shapes and bytes of a module's state, 32 hex digits."""
    found = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        _add(found, name, tensor)
    return found.hexdigest()[:DIGITS]


def digest_of_tensor(tensor: Tensor) -> str:
    """The same of one tensor."""
    found = hashlib.sha256()
    _add(found, "", tensor)
    return found.hexdigest()[:DIGITS]


def _add(found: "hashlib._Hash", name: str, tensor: Tensor) -> None:
    content = tensor.detach().cpu().contiguous()
    found.update(f"{name}/{content.dtype}/{tuple(content.shape)}/".encode())
    found.update(content.numpy().tobytes())


class Chain:
    """The chain of a run that trains.

    Args:
        path: its file.
        d_steps: the budget.
    """

    def __init__(self, path: Path, d_steps: int) -> None:
        self.path, self.points = path, frozenset(points(d_steps))
        self.links: dict[str, str] = {}

    def take_up(self, model: GenerativeModel) -> None:
        """Go on with what was known where the model stands; begin with its initial weights."""
        if model.d_steps == 0:
            self.links = {"step-0": digest_of(model)}
            return
        known = {name: (step_of(name), digest) for name, digest in read_chain(self.path).items()}
        self.links = {
            name: digest
            for name, (step, digest) in known.items()
            if step is not None and step <= model.d_steps
        }

    def add(self, model: GenerativeModel) -> None:
        """Digest the weights as they are."""
        self.links[f"step-{model.d_steps}"] = digest_of(model)

    def write(self) -> None:
        """Replace the file."""
        write_chain(self.path, self.links)
