"""Full checkpoints of a run: named by step and content, so that a damaged one is known by its name.

A write is complete before the one before it may go. Two processes that train the same run write the
same states under the same steps and need no lock.
"""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from bench.core.errors import Caution
from bench.core.files import replacing, sha256_of

CONTENT = {"d_steps", "g_steps", "streams", "losses", "state_dict"}
DIGITS = 16  # of SHA-256 in a name


class Checkpoints:
    """The checkpoints in a folder.

    Args:
        folder: where they lie.
        keep: how many of the newest are kept.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self.keep = folder, keep

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Write one, then forget the oldest.

        Args:
            step: discriminator steps that it stands after.
            write: makes the file.

        Raises:
            DiskError: the disk does not take it; those before it are as they were.
        """

        def name(written: Path) -> str:
            return f"step-{step:09d}-{sha256_of(written)[:DIGITS]}.ckpt"

        with replacing(self.folder / f"step-{step:09d}.ckpt", name) as temporary:
            write(temporary)
        for old in self._newest_first()[self.keep :]:
            old.unlink(missing_ok=True)

    def newest(self) -> Path | None:
        """The newest whole one; a damaged one is passed over with a `Caution`."""
        return next(self._whole(), None)

    def clear(self) -> None:
        """Forget all."""
        for path in self._newest_first():
            path.unlink(missing_ok=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.ckpt"), reverse=True)

    def _whole(self) -> Iterator[Path]:
        for path in self._newest_first():
            problem = _problem(path)
            if not problem:
                yield path
            else:
                warnings.warn(
                    f"checkpoint {path} is damaged ({problem}): the one before it is used, or the "
                    "run starts anew, to the same bits",
                    Caution,
                    stacklevel=3,
                )


def _problem(path: Path) -> str:
    """What is wrong with a checkpoint; empty for a whole one."""
    try:
        if sha256_of(path)[:DIGITS] != path.stem.rpartition("-")[2]:
            return "its content is not what its name says"
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip's, pickle's, torch's and the disk's own kinds
        return " ".join(str(error).split())[:80]
    missing = CONTENT - content.keys()
    return f"without {', '.join(sorted(missing))}" if missing else ""
