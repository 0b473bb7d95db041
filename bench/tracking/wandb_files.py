"""Read and repair W&B's own files of a run: its last step, and records that a kill cut short.

W&B keeps a run's records as a LevelDB log: a header of 7 bytes, then blocks of 32768 bytes with
pieces of records, each behind a checksum, a length and a kind. A killed process leaves half a
record or none; `wandb sync` then sends nothing that comes after it.
"""

import os
import shutil
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER, BLOCK, PIECE = 7, 32768, 7  # bytes: of the file, of a block, of a piece's header
PATIENCE = 5.0  # seconds to wait for the last record to reach a file
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4  # kinds of pieces


def attempts(folder: Path, run_id: str) -> list[Path]:
    """Return the folders that the attempts at a run left, oldest first, online ones included."""
    paths = [*folder.glob(f"offline-run-*-{run_id}"), *folder.glob(f"run-*-{run_id}")]
    return sorted(paths, key=lambda path: path.name.removeprefix("offline-"))


def log_of(attempt: Path) -> Path:
    """Return the file with an attempt's records."""
    return attempt / f"run-{attempt.name.rpartition('-')[2]}.wandb"


def records(path: Path) -> Iterator[tuple[Any, int]]:
    """Yield each complete record and the byte where it ends, up to the first incomplete one."""
    from wandb.proto import wandb_internal_pb2

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
            # protobuf builds the class when it is imported, where no type checker sees it
            record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
            record.ParseFromString(parts)
            yield record, at


def last_step(folder: Path, run_id: str) -> int:
    """Return the last step of the history in all attempts' files; 0 where there is none."""
    logs = [log_of(attempt) for attempt in attempts(folder, run_id)]
    history = (record for log in logs for record, _ in records(log) if record.HasField("history"))
    return max((record.history.step.num for record in history), default=0)


def wait_for_end(log: Path) -> None:
    """Wait for the last record: W&B's `finish` returns while another process still writes it."""
    until = time.monotonic() + PATIENCE
    while log.is_file() and time.monotonic() < until:
        if any(record.HasField("exit") for record, _ in records(log)):
            return
        time.sleep(0.02)


def mend(folder: Path, run_id: str) -> None:
    """Cut off half-written records of killed attempts, so that `wandb sync` sends all attempts.

    An attempt without any record is deleted. Call it only when no process is working on the run.
    """
    for attempt in attempts(folder, run_id):
        log = log_of(attempt)
        end = max((end for _, end in records(log)), default=0)
        if end == 0:
            shutil.rmtree(attempt)
        elif end < log.stat().st_size:
            os.truncate(log, end)


def mark_sent(folder: Path, run_id: str) -> None:
    """Let `wandb sync` skip offline attempts whose content a later, online attempt has sent."""
    for attempt in attempts(folder, run_id):
        if attempt.name.startswith("offline-"):
            log = log_of(attempt)
            log.with_name(f"{log.name}.synced").touch()
