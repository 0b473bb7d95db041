"""Published checksums, written as in the configs: 'md5:...' or 'sha256:...'."""

import hashlib
from pathlib import Path

from bench.core.errors import UserError

ALGORITHMS = ("md5", "sha256")


def compute_checksum(content: Path | bytes, algorithm: str) -> str:
    """Return 'algorithm:hex digits' of a file or bytes; ValueError if not one of ALGORITHMS."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"checksum {algorithm!r} is none of {', '.join(ALGORITHMS)}")
    if isinstance(content, bytes):
        return f"{algorithm}:{hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()}"
    with open(content, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return f"{algorithm}:{digest.hexdigest()}"


def describe_mismatch(content: Path | bytes, expected: str) -> str | None:
    """Return None where the checksum is the expected one, else words that state both."""
    computed = compute_checksum(content, expected.partition(":")[0])
    return None if computed == expected else f"checksum is {computed}, expected {expected}"


def verify_checksum(path: Path, content: Path | bytes, expected: str) -> None:
    """Refuse, with a UserError, a file whose bytes are not the published ones.

    Args:
        path: the file, for the error message.
        content: the bytes to check: the file itself, or its unzipped content.
    """
    mismatch = describe_mismatch(content, expected)
    if mismatch is not None:
        raise UserError(
            f"{path} is damaged or another file: its {mismatch}",
            fix="move it away, then place the published file there or run `bench prepare` again",
        )
