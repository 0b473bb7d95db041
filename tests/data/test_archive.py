import io
import os
import stat
import tarfile
import zipfile

import pytest

from bench.core.errors import UserError
from bench.data.archive import unpack

LIMIT = 10_000


def tar_with(path, *infos):
    """A tar.gz of one good member, then those given."""
    with tarfile.open(path, "w:gz") as tar:
        for info in (tarfile.TarInfo("good.txt"), *infos):
            content = b"content" if info.isreg() else b""
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def entry(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zip_with(path, name, mode=0):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("good.txt", b"content")
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        zipped.writestr(info, b"content")
    return path


@pytest.mark.parametrize(
    ("info", "what"),
    [
        (entry("../evil"), "outside"),
        (entry("sub/../../evil"), "outside"),
        (entry("/tmp/evil"), "outside"),
        (entry("..\\evil"), "outside"),
        (entry("C:evil"), "outside"),
        (entry("link", tarfile.SYMTYPE, "/etc"), "link"),
        (entry("link", tarfile.SYMTYPE, "good.txt"), "link"),
        (entry("link", tarfile.LNKTYPE, "../evil"), "hard link"),
        (entry("pipe", tarfile.FIFOTYPE), "device"),
        (entry("disk", tarfile.BLKTYPE), "device"),
    ],
)
def test_a_hostile_tar_writes_nothing(tmp_path, info, what):
    archive = tar_with(tmp_path / "a.tar.gz", info)
    with pytest.raises(UserError, match=f"not to be trusted: .* {what}"):
        unpack(archive, tmp_path / "in" / "side", limit=LIMIT)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.tar.gz"]


@pytest.mark.parametrize(
    ("name", "mode", "what"),
    [
        ("../evil", 0, "outside"),
        ("/tmp/evil", 0, "outside"),
        ("link", stat.S_IFLNK | 0o777, "link"),
        ("pipe", stat.S_IFIFO | 0o666, "device"),
    ],
)
def test_a_hostile_zip_writes_nothing(tmp_path, name, mode, what):
    archive = zip_with(tmp_path / "a.zip", name, mode)
    with pytest.raises(UserError, match=f"not to be trusted: .* {what}"):
        unpack(archive, tmp_path / "inside", limit=LIMIT)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip"]


def test_a_link_that_a_later_member_of_its_name_replaces_is_refused_too(tmp_path):
    archive = tar_with(tmp_path / "a", entry("x", tarfile.SYMTYPE, "/etc/hosts"), entry("x"))
    with pytest.raises(UserError, match="not to be trusted: 'x' is a link"):
        unpack(archive, tmp_path / "inside", limit=LIMIT)
    assert not (tmp_path / "inside").exists()


def test_neither_owners_nor_unusual_permissions_are_unpacked(tmp_path):
    info = entry("tool")
    info.mode, info.uid = 0o6777, 12345
    unpack(tar_with(tmp_path / "a", info), tmp_path / "inside", limit=LIMIT)
    written = (tmp_path / "inside" / "tool").stat()
    assert (stat.S_IMODE(written.st_mode), written.st_uid) == (0o755, os.getuid())


def test_without_the_data_filter_it_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter")  # came with Python 3.11.4
    with pytest.raises(UserError, match="no data_filter") as error:
        unpack(tar_with(tmp_path / "a"), tmp_path / "inside", limit=LIMIT)
    assert "3.11.4" in error.value.fix and not (tmp_path / "inside").exists()


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_honest_archive_unpacks(tmp_path, kind):
    if kind == "tar":
        members = (entry("sub", tarfile.DIRTYPE), entry("sub/b.txt"), entry("new/..c"))
        archive = tar_with(tmp_path / "a", *members)
    else:
        archive = zip_with(tmp_path / "a", "sub/b.txt", stat.S_IFREG | 0o644)
    unpack(archive, tmp_path / "inside", limit=LIMIT)
    assert (tmp_path / "inside" / "good.txt").read_bytes() == b"content"
    assert (tmp_path / "inside" / "sub" / "b.txt").read_bytes() == b"content"
    assert (tmp_path / "inside" / "new" / "..c").exists() == (kind == "tar")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_truncated_tar_is_one_sentence(tmp_path, share):
    archive = tar_with(tmp_path / "a.tar.gz", entry("b"), entry("c"))
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="is damaged"):
        unpack(archive, tmp_path / "inside", limit=LIMIT)


def test_a_zip_with_a_flipped_bit_is_one_sentence(tmp_path):
    archive = zip_with(tmp_path / "a.zip", "b.txt")
    content = bytearray(archive.read_bytes())
    content[40] ^= 1  # inside the first member's compressed bytes
    archive.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        unpack(archive, tmp_path / "inside", limit=LIMIT)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    archive = tar_with(tmp_path / "a.tar.gz")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot unpack"):
        unpack(archive, tmp_path / "file", limit=LIMIT)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_members_that_state_too_much_are_not_unpacked(tmp_path, kind):
    """Two members of 5,000 zeros, and 512 for each header; a packed file of some 200 bytes."""
    archive = tmp_path / "a"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name in ("a", "b"):
                zipped.writestr(name, bytes(5000))
    else:
        with tarfile.open(archive, "w:gz") as tar:
            for name in ("a", "b"):
                info = entry(name)
                info.size = 5000
                tar.addfile(info, io.BytesIO(bytes(5000)))
    with pytest.raises(UserError, match=r"archive .* unpacks to .* GiB, more than") as error:
        unpack(archive, tmp_path / "inside", limit=11_023)
    assert "trust" in error.value.fix and not (tmp_path / "inside").exists()
    unpack(archive, tmp_path / "inside", limit=11_024)
    assert (tmp_path / "inside" / "b").read_bytes() == bytes(5000)


def test_what_follows_a_stated_size_that_is_too_large_is_not_read(tmp_path):
    """A header alone that states 8 GiB: an archive that is read on would be called damaged."""
    info = entry("huge")
    info.size = 8 * 2**30 - 1
    (tmp_path / "a").write_bytes(info.tobuf())
    with pytest.raises(UserError, match=r"unpacks to 8\.0 GiB, more than 0\.0 GiB"):
        unpack(tmp_path / "a", tmp_path / "inside", limit=LIMIT)
