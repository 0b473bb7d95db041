"""Published files of weights: from a local file or a download, checked, and read as tensors alone.

A pickle can run anything, so a file is compared with its SHA-256 first and then read by torch's
reader of tensors, which runs nothing, before a library that unpickles without limits may have it.
"""

import pickle
import urllib.error
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from bench.core.errors import UserError
from bench.core.files import sha256_of

# A file of another network lacks keys, or sizes do not fit; a damaged one can be anything.
UNREADABLE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    EOFError,
    OSError,
    RuntimeError,
    TypeError,
    AttributeError,
    LookupError,
    ValueError,
)


@dataclass(frozen=True)
class Weights:
    """A published file of weights.

    Args:
        name: of the extractor, for sentences.
        url: where it is published.
        file: its name in torch.hub's folder, where torch-fidelity looks for it too.
        digest: first digits of its SHA-256, as far as they are published; or None.
    """

    name: str
    url: str
    file: str
    digest: str | None

    @property
    def fix(self) -> str:
        """What to do without it."""
        return f"download {self.url} and set features.weights=FILE"

    def checked(self, path: str | Path | None, sha256: str | None) -> tuple[Path, str]:
        """The file and its SHA-256.

        Args:
            path: of a file; None for torch.hub's copy, fetched if it is absent.
            sha256: what the digest must be; None accepts any file.

        Raises:
            UserError: there is no such file, it cannot be fetched, or it is another one.
        """
        found = self._downloaded(sha256) if path is None else Path(path)
        if not found.is_file():
            raise UserError(f"features {self.name!r}: no file {found}", fix=self.fix)
        digest = sha256_of(found)
        if sha256 is not None and digest != sha256:
            raise UserError(
                f"features {self.name!r}: {found} has SHA-256 {digest}, not {sha256}",
                fix=f"{self.fix}; features.sha256=null takes other weights, knowingly",
            )
        return found, digest

    @contextmanager
    def read_from(self, path: Path) -> Iterator[None]:
        """Around what reads the file: what can go wrong there is one sentence.

        Raises:
            UserError: the file does not hold this network.
        """
        try:
            yield
        except UNREADABLE as error:
            raise UserError(
                f"features {self.name!r}: {path} does not hold the weights of this network "
                f"({type(error).__name__})",
                fix=self.fix,
            ) from error

    def _downloaded(self, sha256: str | None) -> Path:
        path = Path(torch.hub.get_dir()) / "checkpoints" / self.file
        if not path.is_file():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(
                    self.url, str(path), hash_prefix=self.digest or sha256
                )
            except (urllib.error.URLError, OSError, RuntimeError) as error:
                raise UserError(
                    f"features {self.name!r}: no weights at {path}, and none could be "
                    f"downloaded: {error}",
                    fix=f"{self.fix}, from a machine with a network",
                ) from error
        return path


def tensors_of(path: Path) -> dict[str, Tensor]:
    """The tensors by name in a file of torch.save, which may hold nothing that runs.

    Raises:
        TypeError: it holds something else; and whatever torch.load raises (see UNREADABLE).
    """
    content = torch.load(path, weights_only=True, map_location="cpu")
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise TypeError("no tensors by name")
    return content
