"""Unpack tar and zip archives that may be damaged or hostile.

Only plain files and folders inside the target are written. All members are checked before the
first is written: one name that leaves the folder, link or device refuses the whole archive, as do
members that state more bytes together than they may have. This is stricter than tarfile's `data`
filter, which makes an absolute path relative and lets inner links be; the filter still drops owners
and unusual permissions.
"""

import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from bench.core.errors import UserError

GIB = 2**30
LARGEST = 16 * GIB  # the largest sets that are scored, 50,000 images of 3x256x256, take 9.2 GiB
PLAUSIBLE_RATIO = 200  # beyond what images are compressed to; deflate's limit is 1,032


def check_size(what: str, unpacked: int, limit: int = LARGEST, packed: int | None = None) -> None:
    """Refuse, with a UserError, to unpack more bytes than plausible, before the first of them.

    Args:
        what: the file or its part, for the message.
        unpacked, packed: its stated sizes, bytes; packed None where it is not known.
        limit: the most bytes it may unpack to.
    """
    if unpacked > limit:
        problem = f"unpacks to {unpacked / GIB:,.1f} GiB, more than {limit / GIB:,.1f} GiB"
    elif packed is not None and unpacked > max(GIB // 4, PLAUSIBLE_RATIO * packed):
        problem = f"unpacks from {packed:,} bytes to {unpacked:,}, as no images or numbers do"
    else:
        return
    raise UserError(
        f"{what} {problem}", fix="get it from a source that you trust, or write it in smaller parts"
    )


def unpack(archive: Path, folder: Path, *, limit: int) -> None:
    """Write the members of a tar (any compression) or zip archive below `folder`, which is created.

    A damaged archive leaves there what came before the damage: pass a temporary folder.

    Args:
        limit: the most bytes that the members may state together, with 512 for each header.

    Raises:
        UserError: the archive is damaged, too large, would write outside `folder`, holds links or
            devices (nothing is written then), or the disk is full or read-only; or Python is too
            old.
    """
    if not hasattr(tarfile, "data_filter"):
        raise UserError(
            "this Python cannot unpack archives safely: its tarfile has no data_filter",
            fix="use Python 3.11.4 or later",
        )
    try:
        if not archive.is_file():  # to open a pipe would wait for its other end
            raise ValueError("it is no file")
        with open(archive, "rb") as file:
            is_zip = file.read(4) == b"PK\3\4"
        with zipfile.ZipFile(archive) if is_zip else tarfile.open(archive) as opened:
            _check_members(archive, opened, limit)
            if isinstance(opened, tarfile.TarFile):
                opened.extraction_filter = tarfile.data_filter
            try:
                opened.extractall(folder)
            except OSError as error:
                raise UserError(
                    f"cannot unpack {archive} to {folder}: {error.strerror or error}",
                    fix="free some space, or choose a folder that you may write to",
                ) from error
    except UserError:
        raise
    except Exception as error:  # of two libraries and four compressions; there is no list of them
        raise damaged_archive(archive, error) from error


def _check_members(archive: Path, opened: zipfile.ZipFile | tarfile.TarFile, limit: int) -> None:
    """Refuse an archive with a member that is no plain file or folder inside, or with too much.

    A tar's headers are read one by one: what follows a stated size that is too large is not read.
    """
    total = 0
    for info in opened if isinstance(opened, tarfile.TarFile) else opened.filelist:
        if isinstance(info, tarfile.TarInfo):
            name, size, is_plain = info.name, info.size, info.isreg() or info.isdir()
        else:
            name, size, kind = info.filename, info.file_size, stat.S_IFMT(info.external_attr >> 16)
            is_plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
        total += size + 512
        check_size(f"archive {archive}", total, limit)
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
        if outside or not is_plain:
            problem = "lies outside its folder" if outside else "is a link, hard link or device"
            raise UserError(
                f"archive {archive} is not to be trusted: {name!r} {problem}",
                fix="delete it and get it from the data set's owners",
            )


def damaged_archive(archive: Path, error: Exception) -> UserError:
    """Return the error for an archive that cannot be read to its end."""
    reason = " ".join(str(error).split()) or type(error).__name__  # tarfile's has several lines
    return UserError(
        f"archive {archive} is damaged ({reason})",
        fix="delete it and get it again, with `bench prepare` if the data set can be downloaded",
    )
