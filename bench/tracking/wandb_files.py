"""What W&B's own files of a run hold: how far its history goes, and whether they end in order.

W&B keeps a run's records as a LevelDB log: a header of 7 bytes, then blocks of 32768 with pieces of
records, each under a checksum, a length and a kind. A process that is killed leaves half a record
or none: `wandb sync` then sends nothing that comes after it.
"""

import os
import shutil
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER, BLOCK, PIECE = 7, 32768, 7
PATIENCE = 5.0  # seconds for what was said to reach a file
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def attempts(folder: Path, run_id: str) -> list[Path]:
    """The folders that the attempts at a run left, in their order; online ones, too."""
    found = [*folder.glob(f"offline-run-*-{run_id}"), *folder.glob(f"run-*-{run_id}")]
    return sorted(found, key=lambda path: path.name.removeprefix("offline-"))


def log_of(attempt: Path) -> Path:
    """The file with an attempt's records."""
    return attempt / f"run-{attempt.name.rpartition('-')[2]}.wandb"


def records(path: Path) -> Iterator[tuple[Any, int]]:
    """Each whole record and where it ends, up to the first that is not."""
    from wandb.proto.wandb_internal_pb2 import Record

    content = path.read_bytes() if path.is_file() else b""
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
            record = Record()
            record.ParseFromString(parts)
            yield record, at


def last_step(folder: Path, run_id: str) -> int:
    """The last step of the history in all attempts' files; 0 where there is none."""
    logs = [log_of(attempt) for attempt in attempts(folder, run_id)]
    held = (record for log in logs for record, _ in records(log) if record.HasField("history"))
    return max((record.history.step.num for record in held), default=0)


def wait_for_end(log: Path) -> None:
    """Wait for the last record: W&B's `finish` comes back while another process writes it."""
    until = time.monotonic() + PATIENCE
    while log.is_file() and time.monotonic() < until:
        if any(record.HasField("exit") for record, _ in records(log)):
            return
        time.sleep(0.02)


def mend(folder: Path, run_id: str) -> None:
    """Cut what killed attempts left half-written, so that `wandb sync` sends all attempts.

    An attempt that left no record at all goes. Only for one who knows that nobody is at work on the
    run.
    """
    for attempt in attempts(folder, run_id):
        log = log_of(attempt)
        end = max((end for _, end in records(log)), default=0)
        if end == 0:
            shutil.rmtree(attempt)
        elif end < log.stat().st_size:
            os.truncate(log, end)


def mark_sent(folder: Path, run_id: str) -> None:
    """Let `wandb sync` pass over offline attempts: a server has all that they hold from another."""
    for attempt in attempts(folder, run_id):
        if attempt.name.startswith("offline-"):
            log = log_of(attempt)
            log.with_name(f"{log.name}.synced").touch()
