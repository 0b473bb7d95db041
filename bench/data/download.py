"""Fetch a published file: several addresses, resumption, a checksum, and a name only when whole.

What has arrived waits in FILE.part; a later call asks for the rest (RFC 9110, section 14, Range).
"""

import os
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.core.errors import UserError
from bench.data.checksums import difference
from bench.data.progress import counter

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30
ATTEMPTS = 2  # at one address: the second resumes what broke off, or starts a spoilt file anew


class _Failed(Exception):
    """One address did not give the file; `again` says whether it may at once."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def download(addresses: Sequence[str], path: Path, *, checksum: str) -> None:
    """Make `path` the published file; return at once where it is that already.

    Args:
        addresses: of the same file, tried in this order.
        path: its place; the folder is created.
        checksum: 'md5:...' or 'sha256:...'.

    Raises:
        UserError: no address gave it (no network, an HTTP error, truncated, another checksum), or
            the disk does not take it.
    """
    if path.is_file() and difference(path, checksum) is None:
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
        fix=f"check the network and run again (what has arrived is kept), "
        f"or place {path.name} in {path.parent} by hand",
    )


def _try_address(address: str, part: Path, checksum: str) -> str | None:
    """None when `part` is the whole right file, else why not."""
    reason = None
    for _ in range(ATTEMPTS):
        try:
            _fetch(address, part)
            wrong = difference(part, checksum)
            if wrong is None:
                return None
            part.unlink()
            raise _Failed(wrong, again=True)
        except _Failed as failure:
            reason = str(failure)
            if not failure.again:
                break
    return reason


def _fetch(address: str, part: Path) -> None:
    """Append what `part` lacks; begin anew where the server cannot continue."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "created-equal"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        response = urlopen(Request(address, headers=headers), timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        if error.code == 416 and have:  # nothing is left to send: the checksum decides
            return
        raise _Failed(f"HTTP {error.code} {error.reason}", again=False) from error
    except (OSError, HTTPException) as error:  # URLError is an OSError
        raise _Failed(f"no connection ({getattr(error, 'reason', error)})", again=False) from error
    with response:
        continues = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not (response.status == 206 and continues):
            have = 0
        length = response.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        _receive(response, part, have, total)


def _receive(response, part: Path, have: int, total: int | None) -> None:
    """Write the body behind the first `have` bytes of `part`."""
    try:
        with (
            open(part, "ab" if have else "wb", buffering=0) as file,
            counter(what=part.stem, unit="B", total=total, done=have) as bar,
        ):
            while chunk := _read(response):
                have += file.write(chunk)
                bar.update(len(chunk))
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(part, error) from error
    if total is not None and have < total:
        raise _Failed(f"truncated, {have} of {total} bytes", again=True)


def _read(response) -> bytes:
    """The next bytes; none at the end, also where the connection ended too early."""
    try:
        return response.read(CHUNK)
    except (OSError, HTTPException) as error:
        raise _Failed(f"broke off ({error or type(error).__name__})", again=True) from error


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write {path}: {error.strerror or error}",
        fix="free some space or set dataset.root=DIR to a folder that you may write to, "
        "then run again: what has arrived is kept",
    )
