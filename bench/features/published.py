"""Published weights: find or download the file, check its digest, and read nothing but tensors.

A pickle can run any code. So a file is compared with its SHA-256 first and then read by torch's
tensor reader, which runs none, before it is passed to a library that unpickles without limits.
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

# A file of another network lacks keys or has other sizes; a damaged one can raise any of these.
UNREADABLE = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, EOFError, OSError, RuntimeError),
    *(TypeError, AttributeError, LookupError, ValueError),
)


@dataclass(frozen=True)
class PublishedWeights:
    """A published file of weights.

    Args:
        name: name of the extractor, for error messages.
        file: name of the file in torch.hub's folder, where torch-fidelity looks for it too.
        digest: first digits of its SHA-256, as many as are published; or None.
    """

    name: str
    url: str
    file: str
    digest: str | None

    @property
    def fix(self) -> str:
        """Advice for a user who has no such file."""
        return f"download {self.url} and set features.weights=FILE"

    def resolve(self, path: str | Path | None, sha256: str | None) -> tuple[Path, str]:
        """Return the path and SHA-256 of the file, downloaded if needed.

        Args:
            path: a local file; None: torch.hub's copy, downloaded if it is absent.
            sha256: required digest; None accepts any file, and the protocol of its scores holds
                its digest.

        Raises:
            UserError: the file is absent, cannot be downloaded, or has another digest.
        """
        file = self._download(sha256) if path is None else Path(path)
        if not file.is_file():
            raise UserError(f"features {self.name!r}: no file {file}", fix=self.fix)
        digest = sha256_of(file)
        if sha256 is not None and digest != sha256:
            raise UserError(
                f"features {self.name!r}: {file} has SHA-256 {digest}, not {sha256}",
                fix=f"{self.fix}; or set features.sha256=null to accept any weights",
            )
        return file, digest

    @contextmanager
    def explain_read_errors(self, path: Path) -> Iterator[None]:
        """Turn errors of reading the file, in the block, into a UserError of one sentence."""
        try:
            yield
        except UNREADABLE as error:
            raise UserError(
                f"features {self.name!r}: {path} does not hold the weights of this network "
                f"({type(error).__name__})",
                fix=self.fix,
            ) from error

    def _download(self, sha256: str | None) -> Path:
        path = Path(torch.hub.get_dir()) / "checkpoints" / self.file
        if not path.is_file():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                prefix = self.digest or sha256
                torch.hub.download_url_to_file(self.url, str(path), hash_prefix=prefix)
            except (urllib.error.URLError, OSError, RuntimeError) as error:
                raise UserError(
                    f"features {self.name!r}: no weights at {path}, and none could be "
                    f"downloaded: {error}",
                    fix=f"{self.fix}, from a machine with a network",
                ) from error
        return path


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Load tensors by name from a file of torch.save, running no code; else raise UNREADABLE."""
    content = torch.load(path, weights_only=True, map_location="cpu")
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise TypeError("no tensors by name")
    return content
