"""Unpack tar and zip archives that may be damaged or hostile.

Only plain files and folders inside the target are written. All members are looked at before the
first is written: names that leave the folder, links and devices refuse the whole archive.
"""

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from bench.core.errors import UserError

DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    RuntimeError,  # zipfile: an encrypted member
    NotImplementedError,  # zipfile: an unknown compression
)


class Member(NamedTuple):
    """One entry; `kind` is 'file', 'folder' or what it should not be."""

    name: str
    kind: str
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path) -> None:
    """Write the members of a tar (any compression) or zip archive below `folder`.

    Args:
        archive: the file.
        folder: created if absent. A damaged archive leaves there what came before the damage: give
            it a folder that is thrown away then.

    Raises:
        UserError: the archive is damaged, would write outside `folder`, holds links or devices
            (nothing is written then), or the disk does not take it.
    """
    with _members(archive) as members:
        for member in members:
            _refuse(archive, member)
        for member in members:
            target = folder / member.name
            try:
                _write(archive, member, target)
            except OSError as error:
                raise UserError(
                    f"cannot unpack {archive} to {target}: {error.strerror or error}",
                    fix="free some space, or choose a folder that you may write to",
                ) from error


def _write(archive: Path, member: Member, target: Path) -> None:
    if member.kind == "folder":
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with member.open() as content, open(target, "wb") as file:
            shutil.copyfileobj(content, file)
    except DAMAGE as error:
        raise damaged(archive, error) from error


def _refuse(archive: Path, member: Member) -> None:
    """Raise UserError for a member that is no plain file or folder inside the target."""
    path = PurePosixPath(member.name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name
    if outside or member.kind not in ("file", "folder"):
        what = "lies outside its folder" if outside else f"is a {member.kind}"
        raise UserError(
            f"archive {archive} is not to be trusted: {member.name!r} {what}",
            fix="delete it and get it from the data set's owners",
        )


def damaged(archive: Path, error: Exception) -> UserError:
    """The error for an archive that cannot be read to its end."""
    return UserError(
        f"archive {archive} is damaged ({error or type(error).__name__})",
        fix="delete it and get it again, with `bench prepare` where it has an address",
    )


@contextmanager
def _members(archive: Path) -> Iterator[list[Member]]:
    with ExitStack() as stack:
        try:
            with open(archive, "rb") as file:
                is_zip = file.read(4) == b"PK\3\4"
            if is_zip:
                zipped = stack.enter_context(zipfile.ZipFile(archive))
                members = [_of_zip(zipped, info) for info in zipped.infolist()]
            else:
                tar = stack.enter_context(tarfile.open(archive))
                members = [_of_tar(tar, info) for info in tar.getmembers()]
        except (*DAMAGE, OSError) as error:
            raise damaged(archive, error) from error
        yield members


def _of_tar(opened: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    kinds = ((info.isreg(), "file"), (info.isdir(), "folder"), (info.issym(), "link"))
    kind = next((kind for holds, kind in kinds if holds), "hard link or device")
    return Member(info.name, kind, lambda: cast(IO[bytes], opened.extractfile(info)))


def _of_zip(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = stat.S_IFMT(info.external_attr >> 16)
    kind = "folder" if info.is_dir() else "file"
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "link" if mode == stat.S_IFLNK else "device"
    return Member(info.filename, kind, lambda: opened.open(info))
