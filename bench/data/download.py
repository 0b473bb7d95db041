"""Download a published file: mirrors, resumption, a checksum; the name appears when it is complete.

Received bytes are kept in FILE.part; a later call requests the rest (RFC 9110, section 14, Range).
"""

import os
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.core.errors import UserError
from bench.data.checksums import describe_mismatch
from bench.data.progress import progress_bar

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30
ATTEMPTS = 2  # per address: the second resumes a broken download, or restarts a damaged one


class _DownloadError(Exception):
    """A failed download from one address; `retry`: whether to try it again at once."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


def download(addresses: Sequence[str], path: Path, *, checksum: str) -> None:
    """Download the published file to `path` from the first address that has it, unless it is there.

    Raises:
        UserError: all addresses failed (no network, an HTTP error, truncated, another checksum),
            or the file cannot be written.
    """
    if path.is_file() and describe_mismatch(path, checksum) is None:
        return
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    reasons = []
    for address in addresses:
        reason = _try_address(address, part, checksum)
        if reason is None:
            os.replace(part, path)
            return
        reasons.append(f"{address}: {reason}")
    raise UserError(
        f"cannot download {path.name}: {'; '.join(reasons)}",
        fix=f"check the network and run again (received bytes are kept), "
        f"or place {path.name} in {path.parent} by hand",
    )


def _try_address(address: str, part: Path, checksum: str) -> str | None:
    """Download to `part`; return None when it is the published file, else why it is not."""
    reason = None
    for _ in range(ATTEMPTS):
        try:
            _fetch(address, part)
            mismatch = describe_mismatch(part, checksum)
            if mismatch is None:
                return None
            part.unlink()
            raise _DownloadError(mismatch, retry=True)
        except _DownloadError as error:
            reason = str(error)
            if not error.retry:
                break
    return reason


def _fetch(address: str, part: Path) -> None:
    """Append the bytes that `part` lacks; start over where the server cannot resume."""
    received = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "created-equal"}
    if received:
        headers["Range"] = f"bytes={received}-"
    try:
        response = urlopen(Request(address, headers=headers), timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        if error.code == 416 and received:  # nothing is left to send: the checksum decides
            return
        raise _DownloadError(f"HTTP {error.code} {error.reason}", retry=False) from error
    except (OSError, HTTPException) as error:  # URLError is an OSError
        reason = f"no connection ({getattr(error, 'reason', error)})"
        raise _DownloadError(reason, retry=False) from error
    with response:
        resumes = response.headers.get("Content-Range", "").startswith(f"bytes {received}-")
        if not (response.status == 206 and resumes):
            received = 0
        length = response.headers.get("Content-Length")
        total = None if length is None else received + int(length)
        _receive(response, part, received, total)


def _receive(response: HTTPResponse, part: Path, received: int, total: int | None) -> None:
    """Write the body after the first `received` bytes of `part`."""
    try:
        with (
            open(part, "ab" if received else "wb", buffering=0) as file,
            progress_bar(what=part.stem, unit="B", total=total, done=received) as bar,
        ):
            while chunk := _read(response):
                received += file.write(chunk)
                bar.update(len(chunk))
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(part, error) from error
    if total is not None and received < total:
        raise _DownloadError(f"truncated, {received} of {total} bytes", retry=True)


def _read(response: HTTPResponse) -> bytes:
    """Read the next bytes; b"" at the end, also where the connection ended too early."""
    try:
        return response.read(CHUNK)
    except (OSError, HTTPException) as error:
        reason = f"broke off ({error or type(error).__name__})"
        raise _DownloadError(reason, retry=True) from error


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write {path}: {error.strerror or error}",
        fix="free some space or set dataset.root=DIR to a folder that you may write to, "
        "then run again: received bytes are kept",
    )
