import hashlib
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import UserError
from bench.data.download import download

CONTENT = np.random.Generator(np.random.PCG64(0)).bytes(5000)
CHECKSUM = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "raw" / "data.bin"


@pytest.fixture
def part(target):
    target.parent.mkdir()
    return target.with_name("data.bin.part")


def get(site, target, *paths):
    download([site.address + path for path in paths or ["/data.bin"]], target, checksum=CHECKSUM)


def test_a_file_arrives_whole_and_alone(site, target):
    site.files["/data.bin"] = CONTENT
    get(site, target)
    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == ["data.bin"]


def test_a_file_that_is_there_is_not_asked_for(site, target):
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    get(site, target)
    assert site.requests == []


def test_what_broke_off_is_resumed(site, target):
    site.files["/data.bin"], site.cuts = CONTENT, [1000]
    get(site, target)
    assert target.read_bytes() == CONTENT
    assert site.requests == [None, "bytes=1000-"]


def test_a_truncated_file_is_kept_for_the_next_call(site, target):
    site.files["/data.bin"], site.cuts = CONTENT, [1000, 500]
    with pytest.raises(UserError, match=r"truncated, 1500 of 5000 bytes") as error:
        get(site, target)
    assert "run again" in error.value.fix
    assert not target.exists()
    get(site, target)
    assert target.read_bytes() == CONTENT
    assert site.requests == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_without_ranges_sends_all_again(site, target, part):
    part.write_bytes(CONTENT[:1000])
    site.files["/data.bin"], site.ranges = CONTENT, False
    get(site, target)
    assert target.read_bytes() == CONTENT
    assert site.requests == ["bytes=1000-"]


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 6000, b"x" * 5000])
def test_a_spoilt_part_is_thrown_away(site, target, part, left):
    part.write_bytes(left)
    site.files["/data.bin"] = CONTENT
    get(site, target)
    assert target.read_bytes() == CONTENT
    assert site.requests == [f"bytes={len(left)}-", None]


def test_a_complete_part_only_takes_its_name(site, target, part):
    part.write_bytes(CONTENT)
    site.files["/data.bin"] = CONTENT
    get(site, target)
    assert target.read_bytes() == CONTENT
    assert site.requests == ["bytes=5000-"]


def test_another_file_is_refused_and_removed(site, target):
    site.files["/data.bin"] = CONTENT[::-1]
    found = hashlib.sha256(CONTENT[::-1]).hexdigest()
    with pytest.raises(UserError, match=f"sha256:{found}, expected {CHECKSUM}"):
        get(site, target)
    assert os.listdir(target.parent) == []


def test_the_second_address_helps_where_the_first_has_nothing(site, target):
    site.files["/data.bin"] = CONTENT
    get(site, target, "/absent", "/data.bin")
    assert target.read_bytes() == CONTENT
    assert len(site.requests) == 2


def test_every_address_has_its_reason(site, target):
    site.files["/other"] = b"another"
    with pytest.raises(UserError) as error:
        get(site, target, "/absent", "/other")
    assert f"{site.address}/absent: HTTP 404 Not Found; " in error.value.message
    assert f"{site.address}/other: checksum is sha256:" in error.value.message


def test_no_network_is_one_sentence(target, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/data.bin"
        with pytest.raises(UserError, match="no connection") as error:
            download([address], target, checksum=CHECKSUM)
    assert f"place data.bin in {target.parent} by hand" in error.value.fix


def test_a_name_that_does_not_resolve_is_one_sentence(target, monkeypatch):
    def unresolved(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(UserError, match=r"no connection \(.*Name or service not known"):
        download(["http://absent.invalid/data.bin"], target, checksum=CHECKSUM)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_a_full_disk_is_one_sentence(site, target, part):
    part.symlink_to("/dev/full")
    site.files["/data.bin"] = CONTENT
    with pytest.raises(UserError, match=r"cannot write .*data\.bin\.part: No space left") as error:
        get(site, target)
    assert "free some space" in error.value.fix
    assert len(site.requests) == 1


def test_a_folder_that_cannot_be_made_is_one_sentence(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        get(site, tmp_path / "file" / "data.bin")
    assert site.requests == []
