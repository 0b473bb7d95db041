"""Published checksums, written as in the configs: 'md5:...' or 'sha256:...'."""

import hashlib
from pathlib import Path

from bench.core.errors import UserError

ALGORITHMS = ("md5", "sha256")


def checksum_of(content: Path | bytes, algorithm: str) -> str:
    """'algorithm:hex digits' of a file or of bytes in memory.

    Raises:
        ValueError: the algorithm is none of ALGORITHMS.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"checksum {algorithm!r} is none of {', '.join(ALGORITHMS)}")
    if isinstance(content, bytes):
        return f"{algorithm}:{hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()}"
    with open(content, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return f"{algorithm}:{digest.hexdigest()}"


def difference(content: Path | bytes, expected: str) -> str | None:
    """None where the checksum is the expected one, else half a sentence that says both.

    Args:
        content: a file or bytes.
        expected: 'md5:...' or 'sha256:...'.
    """
    found = checksum_of(content, expected.partition(":")[0])
    return None if found == expected else f"checksum is {found}, expected {expected}"


def verify(path: Path, content: Path | bytes, expected: str) -> None:
    """Refuse a file whose bytes are not the published ones.

    Args:
        path: the file, for the message.
        content: what is checked: the file itself, or what it held once unzipped.
        expected: 'md5:...' or 'sha256:...'.

    Raises:
        UserError: the checksum is another one.
    """
    wrong = difference(content, expected)
    if wrong is not None:
        raise UserError(
            f"{path} is damaged or another file: its {wrong}",
            fix="move it away, then place the published file there or run `bench prepare` again",
        )
