"""Read and write files atomically: written under a temporary name, flushed, then renamed."""

import hashlib
import json
import math
import os
import re
import reprlib
import socket
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

from bench.core.errors import UserError

SUMS = "SHA256SUMS"  # digests of a folder's files, as sha256sum writes and checks them
SUM = re.compile(r"([0-9a-f]{64})  (.+)")  # a line of that file: digest and name
MAX_DEPTH = 40  # of lists and objects inside each other in a JSON file
MAX_BYTES = 2**28  # of a file of text; a plan of 50,400 runs has some 2**25
NUMBER = int | float  # in a shape, see `find_misfit`
AGAIN = "move it away and make it again"


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
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        temporary.chmod(mode)  # what the umask gives; safetensors' files are their user's alone
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path if name is None else path.with_name(name(temporary)))
    except OSError as error:
        space = "free some space, or choose a folder that you may write to"
        fix = "move the folder of this name away" if path.is_dir() else space
        raise DiskError(f"cannot write {path}: {error.strerror or error}", fix=fix) from error
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


def read_text(path: Path, fix: str = AGAIN) -> str:
    """Read a UTF-8 file.

    Args:
        fix: what to do about a file that is damaged or of another kind.

    Raises:
        UserError: it is missing, a folder, a broken link, a pipe or a device, no text, or too
            large.
    """
    try:
        if not os.path.lexists(path):
            raise UserError(f"there is no file {path}", fix="check the path")
        if not os.path.isfile(path):  # to open a pipe would wait for its other end
            kind = "a folder" if path.is_dir() else "a broken link, a pipe or a device"
            raise UserError(f"{path} is {kind}, not a file", fix=fix)
        if (size := path.stat().st_size) > MAX_BYTES:
            raise UserError(f"{path} has {size:,} bytes, more than {MAX_BYTES:,}", fix=fix)
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError, MemoryError) as error:
        raise UserError(f"cannot read {path}: {error or 'no memory'}", fix=fix) from error


def read_json(path: Path, shape: Any = object, fix: str = AGAIN) -> Any:
    """Read a JSON file.

    Args:
        shape: what it has to hold, see `find_misfit`.
        fix: see `read_text`.

    Raises:
        UserError: it cannot be read, or is damaged, see `parse_json`.
    """
    text = read_text(path, fix)
    try:
        return parse_json(text, shape)
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}", fix=fix) from error


def find_json(path: Path, shape: Any = object, fix: str = AGAIN) -> Any:
    """Read a JSON file as `read_json` does; return None where there is nothing of this name."""
    return read_json(path, shape, fix) if os.path.lexists(path) else None


def parse_json(text: str, shape: Any = object) -> Any:
    """Parse JSON whose names are unique, numbers finite and whole numbers of 64 bits.

    Args:
        shape: what it has to hold, see `find_misfit`.

    Raises:
        ValueError: it is something else, or lists and objects are nested deeper than MAX_DEPTH.
    """
    try:
        floats: Any = {"parse_float": _parse_float, "parse_constant": _parse_float}
        hooks: Any = {"parse_int": _parse_int, "object_pairs_hook": _parse_object}
        value = json.loads(text, **floats, **hooks)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    level, depth = [value], 0
    while level := [
        item
        for node in level
        if isinstance(node, dict | list)
        for item in (node.values() if isinstance(node, dict) else node)
    ]:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("it is nested too deep")
    if misfit := find_misfit(value, shape):
        raise ValueError(misfit)
    return value


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("an object has a name twice")
    return content


def _parse_int(text: str) -> int:
    if abs(number := int(text)) >= 2**64:
        raise ValueError(f"the whole number {text[:20]}... has more than 64 bits")
    return number


def _parse_float(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:20]} is not finite")
    return number


def find_misfit(value: Any, shape: Any) -> str:
    """Return the first place where a value of JSON differs from a shape; empty where it fits.

    Args:
        shape: a type or a union of types, where True is no number; [SHAPE], a list of such items;
            {"name": SHAPE, "name?": SHAPE, str: SHAPE}, an object: "?" marks a name that may be
            missing, and all other names have the last shape.

    Returns:
        "steps: 3: frechet: 'low' is no int", for example.
    """
    parts: Iterable[tuple[str | int, Any, Any]]
    if isinstance(shape, list) and isinstance(value, list):
        parts = ((index, item, shape[0]) for index, item in enumerate(value))
    elif isinstance(shape, dict) and isinstance(value, dict):
        names = {name for name in shape if name is not str and not name.endswith("?")}
        if missing := sorted(names - value.keys()):
            return f"it lacks {', '.join(missing)}"
        others = shape.get(str, object)
        parts = ((n, v, shape.get(n, shape.get(f"{n}?", others))) for n, v in value.items())
    else:
        kind = type(shape) if isinstance(shape, dict | list) else shape
        fits = kind is shape and isinstance(value, shape)
        if fits and (type(value) is not bool or {bool, object} & {shape, *get_args(shape)}):
            return ""
        return f"{reprlib.repr(value)} is no {getattr(kind, '__name__', kind)}"
    for name, item, part in parts:
        if type(item) is not part and (misfit := find_misfit(item, part)):
            return f"{name}: {misfit}"
    return ""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hex digits."""
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_sums(path: Path) -> dict[str, str]:
    """Read SHA256SUMS: name -> digest; {} where there is nothing of this name.

    Raises:
        UserError: a line is damaged, or names a file outside the folder.
    """
    digests: dict[str, str] = {}
    text = read_text(path) if os.path.lexists(path) else ""
    for number, line in enumerate(text.splitlines(), 1):
        match = SUM.fullmatch(line)
        name = Path(match[2]) if match else Path("..")
        if match is None or name.is_absolute() or ".." in name.parts:
            raise UserError(f"{path} is damaged: line {number} is {line[:80]!r}", fix=AGAIN)
        digests[name.as_posix()] = match[1]
    return digests


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files and their SHA256SUMS; delete what an earlier call wrote and this one has not.

    Args:
        folder: folder to write; other files in it are left alone.
        files: name -> content, in the order in which they are written.

    Raises:
        UserError: its SHA256SUMS is damaged; a file cannot be written.
    """
    old_digests = read_sums(folder / SUMS)
    for name, content in files.items():
        write_bytes(folder / name, content)
    for name, digest in old_digests.items():
        path = folder / name
        if name not in files and path.is_file() and sha256_of(path) == digest:
            path.unlink()
    sums = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    write_bytes(folder / SUMS, "".join(sums).encode())
