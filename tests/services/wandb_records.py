"""Read W&B's own files of an attempt: for tests alone, since their format is private.

W&B keeps records as a LevelDB log: a header of 7 bytes, then blocks of 32768 bytes with pieces of
records, each behind a checksum, a length and a kind.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER, BLOCK, PIECE = 7, 32768, 7  # bytes: of the file, of a block, of a piece's header
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4  # kinds of pieces


def attempts_at(folder: Path, run_id: str) -> list[Path]:
    """Return the folders that the attempts at a run left, oldest first, online ones included."""
    paths = folder.glob(f"*run-*-{run_id}")
    return sorted(paths, key=lambda path: path.name.removeprefix("offline-"))


def log_of(attempt: Path) -> Path:
    """Return the file with an attempt's records."""
    return attempt / f"run-{attempt.name.rpartition('-')[2]}.wandb"


def records(path: Path) -> Iterator[Any]:
    """Yield each complete record, up to the first incomplete one."""
    from wandb.proto import wandb_internal_pb2

    content = path.read_bytes()
    at, parts = HEADER, b""
    while at + PIECE <= len(content):
        left = BLOCK - at % BLOCK
        if left < PIECE:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        piece = content[at + PIECE : at + PIECE + length]
        if kind not in (WHOLE, FIRST, MIDDLE, LAST) or len(piece) < length:
            return
        at += PIECE + length
        parts = piece if kind in (WHOLE, FIRST) else parts + piece
        if kind in (WHOLE, LAST):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            yield record
