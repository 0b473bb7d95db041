"""Unpack tar and zip archives that may be damaged or hostile.

Only plain files and folders inside the target are written. All members are checked before the
first is written: one name that leaves the folder, link or device refuses the whole archive.
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
    """One entry of an archive; its `kind` is 'file', 'folder' or one that is refused."""

    name: str
    kind: str
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path) -> None:
    """Write the members of a tar (any compression) or zip archive below `folder`.

    Args:
        archive: the file.
        folder: created if absent. A damaged archive leaves there what came before the damage: pass
            a temporary folder.

    Raises:
        UserError: the archive is damaged, would write outside `folder`, holds links or devices
            (nothing is written then), or the disk is full or read-only.
    """
    with _open_archive(archive) as members:
        for member in members:
            _check_member(archive, member)
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
        raise damaged_archive(archive, error) from error


def _check_member(archive: Path, member: Member) -> None:
    """Refuse a member that is no plain file or folder inside the target."""
    path = PurePosixPath(member.name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name
    if outside or member.kind not in ("file", "folder"):
        problem = "lies outside its folder" if outside else f"is a {member.kind}"
        raise UserError(
            f"archive {archive} is not to be trusted: {member.name!r} {problem}",
            fix="delete it and get it from the data set's owners",
        )


def damaged_archive(archive: Path, error: Exception) -> UserError:
    """Return the error for an archive that cannot be read to its end."""
    return UserError(
        f"archive {archive} is damaged ({error or type(error).__name__})",
        fix="delete it and get it again, with `bench prepare` if the data set can be downloaded",
    )


@contextmanager
def _open_archive(archive: Path) -> Iterator[list[Member]]:
    """Open a zip or tar archive for the block and list its members."""
    with ExitStack() as stack:
        try:
            with open(archive, "rb") as file:
                is_zip = file.read(4) == b"PK\3\4"
            if is_zip:
                zipped = stack.enter_context(zipfile.ZipFile(archive))
                members = [_zip_member(zipped, info) for info in zipped.infolist()]
            else:
                tar = stack.enter_context(tarfile.open(archive))
                members = [_tar_member(tar, info) for info in tar.getmembers()]
        except (*DAMAGE, OSError) as error:
            raise damaged_archive(archive, error) from error
        yield members


def _tar_member(opened: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    kinds = ((info.isreg(), "file"), (info.isdir(), "folder"), (info.issym(), "link"))
    kind = next((kind for holds, kind in kinds if holds), "hard link or device")
    return Member(info.name, kind, lambda: cast(IO[bytes], opened.extractfile(info)))


def _zip_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = stat.S_IFMT(info.external_attr >> 16)
    kind = "folder" if info.is_dir() else "file"
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "link" if mode == stat.S_IFLNK else "device"
    return Member(info.filename, kind, lambda: opened.open(info))
