"""Read and write files atomically: written under a temporary name, flushed, then renamed."""

import hashlib
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.core.errors import UserError


class DiskError(UserError):
    """Report that the disk is full or read-only, or that a folder may not be written."""


def writer_id() -> str:
    """Return host and process id, which tell the partial files of a dead process from others."""
    return f"{socket.gethostname().partition('.')[0]}-{os.getpid()}"


@contextmanager
def replacing(path: Path, name: Callable[[Path], str] | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the name of `path` when the block succeeds.

    Args:
        path: the file to be made; its folder is created.
        name: temporary file -> the name to give it in the folder of `path`, where the name
            depends on the content.

    Raises:
        DiskError: the disk is full or read-only, or the folder may not be written. The
            temporary file is removed, and a file that was at `path` is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{writer_id()}-{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path if name is None else path.with_name(name(temporary)))
    except OSError as error:
        raise DiskError(
            f"cannot write {path}: {error.strerror or error}",
            fix="free some space, or choose a folder that you may write to",
        ) from error
    finally:
        with suppress(OSError):  # if the folder itself is unreachable, the first error tells
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of bytes atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 file atomically, line ends unchanged."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys; refuse NaN and infinity, which JSON cannot represent."""
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}", fix="check the path") from error
    except (OSError, ValueError) as error:
        fix = "move it away and make it again"
        raise UserError(f"cannot read {path}: {error}", fix=fix) from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hex digits."""
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
