"""Write, find and delete the full checkpoints of a run, from which training resumes.

A checkpoint is named by step and content hash, so that a damaged one shows. A write is complete
before the checkpoint before it may be deleted. Two processes that train the same run write the same
states under the same names and need no lock.
"""

import logging
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from bench.core.errors import Caution
from bench.core.files import replacing, sha256_of

LOG = logging.getLogger(__name__)
CONTENT = {"d_steps", "g_steps", "streams", "losses", "state_dict"}
DIGITS = 16  # of SHA-256 in a name


class Checkpoints:
    """Manage the full checkpoints in a folder, of which the newest `keep` are kept."""

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self.keep = folder, keep

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Write the checkpoint of a discriminator step with `write`, then delete the oldest.

        Raises:
            DiskError: the disk does not take it; the earlier checkpoints are untouched.
        """

        def name(temporary: Path) -> str:
            return f"step-{step:09d}-{sha256_of(temporary)[:DIGITS]}.ckpt"

        with replacing(self.folder / f"step-{step:09d}.ckpt", name) as temporary:
            write(temporary)
        LOG.debug("checkpoint of step %d written into %s", step, self.folder)
        for path in self._newest_first()[self.keep :]:
            path.unlink(missing_ok=True)

    def find_newest(self) -> Path | None:
        """Return the newest intact checkpoint, or None; skip damaged ones with a `Caution`."""
        for path in self._newest_first():
            if not (damage := _describe_damage(path)):
                LOG.debug("resuming from %s", path)
                return path
            instead = "the one before it is used, or the run starts anew, to the same bits"
            message = f"checkpoint {path} is damaged ({damage}): {instead}"
            warnings.warn(message, Caution, stacklevel=2)
        return None

    def clear(self) -> None:
        """Delete all checkpoints, and their folder if it is then empty."""
        for path in self._newest_first():
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.ckpt"), reverse=True)


def _describe_damage(path: Path) -> str:
    """Return what is wrong with a checkpoint; empty for an intact one."""
    try:
        if not path.is_file():
            return "it is no file"
        if sha256_of(path)[:DIGITS] != path.stem.rpartition("-")[2]:
            return "its content does not match the hash in its name"
        content = torch.load(path, map_location="cpu", weights_only=True)
        missing = CONTENT - content.keys()
    except Exception as error:  # zip's, pickle's, torch's and the disk's own kinds
        return " ".join(str(error).split())[:80]
    return f"without {', '.join(sorted(missing))}" if missing else ""
