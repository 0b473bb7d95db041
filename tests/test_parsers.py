"""Every function that parses a file, on damaged ones: a value of its kind or a sentence.

A parser that no entry of the table runs, and no reason leaves out, fails the first test.
"""

import ast
import dataclasses
import gzip
import io
import json
import os
import re
import resource
import shutil
import signal
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from support import ROOT, SMALL, restored

from bench.config import build
from bench.config.trust import USER, trust_config_dir
from bench.core.errors import UserError
from bench.core.files import SUMS, read_json, read_sums, sha256_of, write_json
from bench.data import prepared
from bench.data.archive import GIB, unpack
from bench.data.celeba import CelebA
from bench.data.checksums import compute_checksum
from bench.data.cifar import Cifar
from bench.data.decode import read_image
from bench.data.idx import Idx
from bench.data.npz import holds_statistics
from bench.data.parquet import Parquet
from bench.data.split import Split
from bench.data.user_images import read_user_images
from bench.execution.run import execute
from bench.features.convnet import TrainedConvnet, weight_files
from bench.features.published import PublishedWeights, load_tensors
from bench.reporting.archive import read as archive
from bench.reporting.archive.read import load
from bench.reporting.archive.read import read_table as read_parquet
from bench.reporting.archive.write import build_study_files
from bench.reporting.data.collect import add_curves, add_pictures, read_picture, read_stages
from bench.reporting.data.histories import read_history as read_curves
from bench.reporting.output.site import build_site
from bench.runs.candidates import read_candidates
from bench.runs.digests import read_digests
from bench.runs.folder import RunFolder
from bench.runs.heartbeat import read_heartbeat
from bench.runs.history import read_history
from bench.runs.plans import PlannedRun, StagePlan, read_plan, write_plan, write_refusal
from bench.runs.record import read_overrides
from bench.runs.rows import read_row
from bench.scoring import real_features
from bench.scoring.features import Features
from bench.scoring.statistics_file import read_statistics, write_statistics
from bench.sweeping.table import read_table
from bench.theory import store
from bench.tracking.wandb_attempts import Attempts
from bench.training.checkpoints import Checkpoints
from bench.training.job import prepare_job

EIGHT_GIB = 8 << 30
SECONDS = 5  # until a parser counts as hanging; the slowest takes a tenth of one
JSON_KINDS = {"dict", "list", "str", "int", "float", "bool", "NoneType"}


@dataclass(frozen=True)
class Parser:
    """A file, intact, and the function that reads it.

    Args:
        read: reads the file, at the same path whatever its content.
        also: kinds of values that a damaged file may give beside those of the intact one.
        inner: content of the file that is changed before `pack`, where it has an envelope.
        pack: content -> file, for example with its checksum.
        lenient: whether a damaged file counts as absent.
    """

    path: Path
    read: Callable[[], Any]
    also: frozenset = frozenset()
    inner: bytes = b""
    pack: Callable[[bytes], bytes] | None = None
    lenient: bool = False


MAKERS: dict[str, Callable[[Any], Parser]] = {}


def parser(make):
    """Enter a maker into the table: folders -> Parser."""
    MAKERS[make.__name__] = make
    return make


@dataclass(frozen=True)
class Made:
    """Files of every kind: `root` has a finished run and its plan, `study` a report of them."""

    root: Path
    run: RunFolder
    study: Path
    data: Path


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def png(side=8, colour=3, **settings) -> bytes:
    levels = np.arange(side * side * 3, dtype=np.uint8).reshape(side, side, 3)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, **{"format": "PNG", **settings})
    return buffer.getvalue()


def with_checksums(content: bytes) -> bytes:
    """A PNG file with the checksum of each chunk computed anew."""
    parts, at = [content[:8]], 8
    while at + 8 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        end = min(at + 8 + length, len(content))
        body = content[at + 4 : end]
        parts += [content[at : at + 4], body, struct.pack(">I", zlib.crc32(body))]
        at = end + 4
    return b"".join(parts)


def npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def zipped(members: Mapping[str, bytes], compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def parquet(table: Mapping[str, Any], **settings) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(table), buffer, **settings)
    return buffer.getvalue()


def idx(array) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


COMMON = {"root": "none", "licence": "free", "origin": "nowhere"}


# A run's folder, and its sweep's plan.


@parser
def status(made):
    return Parser(made.run.path / "status.json", made.run.read_status)


@parser
def provenance(made):
    also = frozenset(JSON_KINDS)
    return Parser(made.run.provenance, lambda: (made.run.read_provenance(),), also)


@parser
def overrides(made):
    return Parser(made.run.provenance, lambda: read_overrides(made.run))


@parser
def candidates(made):
    return Parser(made.run.candidates, lambda: read_candidates(made.run.candidates))


@parser
def untrained(made):
    write_json(made.run.untrained, {"0123-abcd": 1.5, "0123-ef01": None})
    return Parser(made.run.untrained, made.run.read_untrained)


@parser
def digests(made):
    return Parser(made.run.digests, lambda: read_digests(made.run.digests))


@parser
def heartbeat(made):
    path = made.root / "pulse.json"
    write_json(path, {"host": "h", "pid": 7, "step": 3, "d_steps": 10, "phase": "training"})
    return Parser(path, lambda: read_heartbeat(path), lenient=True)


@parser
def row(made):
    path = made.run.row_files()[0]
    return Parser(path, lambda: read_row(path), frozenset(JSON_KINDS))


@parser
def history(made):
    return Parser(made.run.history, lambda: read_history(made.run.history))


@parser
def curves(made):
    return Parser(made.run.history, lambda: read_curves(made.run))


@parser
def config(made):
    return Parser(
        made.run.config, lambda: build.read_config(made.run.config), frozenset(JSON_KINDS)
    )


@parser
def generator(made):
    return Parser(made.run.generator, lambda: build.build_sampler(made.run))


@parser
def checkpoint(made):
    content = dict.fromkeys(("d_steps", "g_steps", "streams", "losses"), 1)
    buffer, folder = io.BytesIO(), made.root / "checkpoints"
    torch.save({**content, "state_dict": {"weight": torch.zeros(3)}}, buffer)

    def read():
        digest = sha256_of(path)[:16] if path.is_file() else "0"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / f"step-000000001-{digest}.ckpt").symlink_to(path)
        return Checkpoints(folder, keep=2).find_newest()

    path = write(made.root / "a.ckpt", buffer.getvalue())
    return Parser(path, read, lenient=True)


@parser
def plan_head(made):
    path = made.root / "plans" / "s" / "plan.json"
    return Parser(path, lambda: read_plan(made.root, "s"), frozenset(JSON_KINDS))


@parser
def plan_stage(made):
    return Parser(made.root / "plans" / "s" / "all.json", lambda: read_plan(made.root, "s"))


@parser
def refusal(made):
    write_refusal(made.root, "s", made.run.run_id, "it could not start")
    path = made.root / "plans" / "s" / "refused" / f"{made.run.run_id}.txt"
    return Parser(path, lambda: read_plan(made.root, "s"))


@parser
def wandb_attempts(made):
    attempts = Attempts(made.root, "a")
    attempts.write("offline-run", 3, ended=True)
    return Parser(attempts.path, attempts.read)


@parser
def table(made):
    path = write(made.data / "table.csv", b"variant,learning_rate\nns_gan,0.1\nns_gan,0.2\n")
    also = frozenset({"str", "int", "bool"})
    return Parser(path, lambda: read_table("s", str(path), ["ns_gan"]), also)


@parser
def trusted_targets(made):
    path = write(made.data / "own" / "loss.yaml", b"_target_: mine.loss\n")

    def read():
        before = set(USER.targets), list(USER.config_dirs)
        try:
            trust_config_dir(path.parent)
        finally:
            USER.targets, USER.config_dirs = before
        return True

    return Parser(path, read)


# A published report.


def published(made, name):
    path = made.study / name
    return Parser(path, lambda: load(made.study), frozenset(JSON_KINDS))


@parser
def rows_parquet(made):
    return published(made, "rows.parquet")


@parser
def history_parquet(made):
    return published(made, "history.parquet")


@parser
def runs_jsonl(made):
    return published(made, "runs.jsonl")


@parser
def environments(made):
    return published(made, "environments.json")


@parser
def published_plan(made):
    return published(made, "plan.json")


@parser
def picture(made):
    entry = published(made, f"samples/{made.run.run_id}.png")
    return dataclasses.replace(entry, inner=entry.path.read_bytes(), pack=with_checksums)


@parser
def sums(made):
    path = write(made.data / SUMS, f"{'0' * 64}  a\n{'1' * 64}  b/c\n".encode())
    return Parser(path, lambda: read_sums(path))


@parser
def site_report(made):
    folder = made.data / "theirs"
    write(folder / "index.html", b"page")
    path = write(folder / "report.md", b"# A study\n\nOne of **four**.\n\n![x](figures/x.svg)\n")
    return Parser(path, lambda: build_site({folder: "2026-11-30"}))


# Data sets, images, features.


@parser
def prepared_file(made):
    path = made.data / "tiny.safetensors"
    splits = {"train": Split(np.zeros((3, 1, 8, 8), np.uint8), np.arange(3))}
    prepared.save(path, splits, name="tiny", licence="", source="")
    return Parser(path, lambda: prepared.load(path, "tiny"), frozenset({"NoneType"}))


def mnist(folder, pack=lambda content: content, suffix=""):
    facts = {"checksum": None, "gz_checksum": None}
    files = {k: {"file": f"train-{k}", **facts} for k in ("samples", "labels")}
    write(folder / f"train-labels{suffix}", pack(idx(np.arange(3))))
    content = idx(np.zeros((3, 4, 5)))
    path = write(folder / f"train-samples{suffix}", pack(content))
    source = Idx(
        name="tiny", shape=[1, 4, 5], classes=10, mirrors=(), files={"train": files}, **COMMON
    )
    return Parser(path, lambda: source.read(folder), inner=content, pack=pack)


@parser
def idx_file(made):
    return mnist(made.data / "idx")


@parser
def idx_gzipped(made):
    return mnist(made.data / "gz", lambda content: gzip.compress(content, 1), ".gz")


def batch() -> bytes:
    import pickle

    return pickle.dumps({b"data": np.zeros((3, 48), np.uint8), b"labels": [0, 1, 9]}, protocol=4)


@parser
def cifar_batch(made):
    path = write(made.data / "cifar" / "folder" / "test", batch())

    def read():
        sum_ = compute_checksum(path, "md5") if path.is_file() else "md5:0"
        facts = {"archive": "a", "checksum": "md5:0", "folder": "folder"}
        batches = {"test": {"test": sum_}}
        facts |= {"name": "tiny", "shape": [3, 4, 4], "classes": 10, "mirrors": ()}
        return Cifar(**facts, batches=batches, **COMMON).read(made.data / "cifar")

    return Parser(path, read)


def celeba(folder):
    facts = {"name": "celeba", "shape": [3, 4, 4], "classes": 1, "size": [8, 8], "crop": 8}
    counts = {"train": 1, "validation": 1, "test": 1}
    source = CelebA(**facts, checksums={}, counts=counts, **COMMON)
    source.root = str(folder)
    return lambda: source.read(folder)


LIST = b"0.png 0\n1.png 1\n2.png 2\n"


@parser
def celeba_list(made):
    folder = made.data / "celeba"
    for n in range(3):
        write(folder / "img_align_celeba" / f"{n}.png", png())
    path = write(folder / "list_eval_partition.txt", LIST)
    return Parser(path, celeba(folder))


@parser
def celeba_zip(made):
    folder = made.data / "celeba_zip"
    write(folder / "list_eval_partition.txt", LIST)
    content = zipped({f"img_align_celeba/{n}.png": png() for n in range(3)})
    return Parser(write(folder / "img_align_celeba.zip", content), celeba(folder))


def unpacked(path):
    def read():
        shutil.rmtree(target := path.with_name("unpacked"), ignore_errors=True)
        unpack(path, target, limit=GIB)
        return True

    return read


def tarred(mode) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name in ("a", "b/" + "long" * 40):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
    return buffer.getvalue()


@parser
def tar(made):
    path = write(made.data / "tar" / "a.tar", tarred("w"))
    return Parser(path, unpacked(path))


@parser
def tar_gz(made):
    path = write(made.data / "tgz" / "a.tar.gz", tarred("w:gz"))
    pack = lambda content: gzip.compress(content, 1)  # noqa: E731
    return Parser(path, unpacked(path), inner=tarred("w"), pack=pack)


@parser
def tar_xz(made):
    path = write(made.data / "txz" / "a.tar.xz", tarred("w:xz"))
    return Parser(path, unpacked(path))


@parser
def zip_archive(made):
    members = {"a": b"abc" * 9, "b/c": b"d"}
    path = write(made.data / "zip" / "a.zip", zipped(members, zipfile.ZIP_DEFLATED))
    return Parser(path, unpacked(path))


@parser
def image_png(made):
    path = write(made.data / "a.png", png())
    return Parser(path, lambda: read_image(path, path, 3), inner=png(), pack=with_checksums)


@parser
def image_jpeg(made):
    exif = Image.Exif()
    exif[274] = 6  # turned
    path = write(made.data / "a.jpg", png(format="JPEG", exif=exif))
    return Parser(path, lambda: read_image(path, path, 3))


@parser
def image_tiff(made):
    path = write(made.data / "a.tif", png(format="TIFF", compression="tiff_lzw"))
    return Parser(path, lambda: read_image(path, path, 3))


@parser
def image_webp(made):
    path = write(made.data / "a.webp", png(format="WEBP"))
    return Parser(path, lambda: read_image(path, path, 3))


@parser
def images_folder(made):
    folder = made.data / "images"
    for n in range(3):
        path = write(folder / f"{n}.png", png())
    read = lambda: read_user_images(folder)  # noqa: E731
    return Parser(path, read, inner=png(), pack=with_checksums, lenient=True)  # may be a folder


@parser
def images_npz(made):
    content = npy(np.arange(400, dtype=np.uint16).astype(np.uint8).reshape(4, 10, 10))
    pack = lambda content: zipped({"images.npy": content})  # noqa: E731
    path = write(made.data / "images.npz", pack(content))
    return Parser(path, lambda: read_user_images(path), frozenset({"f4"}), content, pack)


def encoded():
    return [{"bytes": png(), "path": f"{n}.png"} for n in range(3)]


@parser
def images_parquet(made):
    path = write(made.data / "images.parquet", parquet({"image": encoded()}))
    return Parser(path, lambda: read_user_images(path))


@parser
def labelled_parquet(made):
    folder = made.data / "parquet"
    content = parquet({"image": encoded(), "label": [0, 1, 2]}, compression="none")
    path = write(folder / "train-0.parquet", content)
    facts = {"name": "tiny", "shape": [3, 8, 8], "classes": 3, "label_column": "label"}
    write(folder / "test-0.parquet", content)
    source = Parquet(**facts, encoding="PNG", counts={"train": 3, "test": 3}, **COMMON)
    return Parser(path, lambda: source.read(folder))


class Two:
    """An extractor of two features."""

    name, weight_hash, resize, width = "two", "0", "none", 2


@parser
def statistics(made):
    path = made.data / "stats.npz"
    protocol = {"extractor": "two", "weight_hash": "0", "resize": "none"}
    write_statistics(path, np.zeros(2), np.eye(2), 9, protocol)
    return Parser(path, lambda: read_statistics(path, extractor=Two()))


@parser
def statistics_of_others(made):
    pack = lambda content: zipped({"mu.npy": npy(np.zeros(2)), "sigma.npy": content})  # noqa: E731
    path = write(made.data / "others.npz", pack(npy(np.eye(2))))
    read = lambda: holds_statistics(path) and read_statistics(path, extractor=Two())  # noqa: E731
    return Parser(path, read, frozenset({"bool"}), npy(np.eye(2)), pack, lenient=True)


@parser
def cached_features(made):
    path = made.data / "features" / "a.safetensors"
    real_features._save(path, Features(np.zeros((3, 2)), np.zeros((3, 4))))
    return Parser(path, lambda: real_features._load(path), frozenset({"NoneType"}), lenient=True)


def convnet(made, index):
    for source in weight_files("digits_convnet", None):
        target = made.data / f"card{index}" / source.name
        write(target, source.read_bytes())
    path = weight_files("digits_convnet", target.parent)[index]
    return Parser(path, lambda: TrainedConvnet("digits_convnet", path.parent))


@parser
def extractor_card(made):
    return convnet(made, 1)


@parser
def extractor_weights(made):
    entry = convnet(made, 0)
    card = json.loads((ROOT / "bench/features/weights/digits_convnet.json").read_text())

    def read():
        digest = sha256_of(entry.path) if entry.path.is_file() else ""
        card_file = weight_files("digits_convnet", entry.path.parent)[1]
        card_file.write_text(json.dumps(card | {"sha256": digest}))
        return entry.read()

    return dataclasses.replace(entry, read=read)


@parser
def downloaded_weights(made):
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, buffer)
    path = write(made.data / "weights.pt", buffer.getvalue())
    weights = PublishedWeights("tiny", "nowhere", "weights.pt", None)

    def read():
        weights.resolve(path, None)
        with weights.explain_read_errors(path):
            return load_tensors(path)

    return Parser(path, read)


@parser
def measurements(made):
    path = made.data / "T1.npz"
    store.write_part(path, {"a": np.zeros(3)}, {"quick": True, "parts": {}})
    also = frozenset(JSON_KINDS) | {f"{kind}{n}" for kind in "buif" for n in range(3)}
    return Parser(path, lambda: store.read_npz(path), also)


# Damage.

TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?\d[\w.+-]*|true|false|null|(?<=[=:,] )[^\s,:"{}\[\]]+')
HOSTILE = [
    *(b"null", b"[]", b"{}", b'""', b"true", b"-1", b"0", b"1_0", b"NaN", b"Infinity", b"1e400"),
    *(b"1" + b"0" * 400, b"1" + b"0" * 5000, b"18446744073709551616", b'"\\ud800"', b'"\\u0000"'),
    *(b"\xff", b"\xef\xbb\xbf", b'"a\\nb"', b'"' + b"x" * 10**5 + b'"', b'"../../x"', b'"/etc"'),
    *(b"[" * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000, b"- " * 10_000),
    *(b"&a [*a]", b"!!python/name:os.system", b"${oc.env:HOME}", b"<<: {a: 1}", b"\r\n", b"\0"),
]
EDGES = [
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0" * 8,
    b"\xff" * 8,
    b"\0" * 6 + b"\x10\0",
]


KINDS = ["truncate", "flip", "insert", "edge", "delete", "double", "line", "token", "crlf"]


@st.composite
def damaged(draw, content: bytes) -> bytes:
    """A file's content, changed in one to three places."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        span = draw(st.integers(1, 16))
        kind = draw(st.sampled_from(KINDS))
        tokens = list(TOKEN.finditer(content[: 2**16])) if kind == "token" else []
        if tokens:
            start, end = draw(st.sampled_from(tokens)).span()
            content = content[:start] + draw(st.sampled_from(HOSTILE)) + content[end:]
        elif kind == "truncate":
            content = content[:at]
        elif kind in ("flip", "token") and at < len(content):
            changed = content[at] ^ draw(st.integers(1, 255))
            content = content[:at] + bytes([changed]) + content[at + 1 :]
        elif kind == "insert":
            content = content[:at] + draw(st.binary(max_size=8)) + content[at:]
        elif kind == "edge":
            edge = draw(st.sampled_from(EDGES))
            content = content[:at] + edge + content[at + len(edge) :]
        elif kind == "delete":
            content = content[:at] + content[at + span :]
        elif kind == "double":
            content = content[: at + span] + content[at:]
        elif kind == "line":
            lines = content.splitlines(keepends=True) or [b""]
            line = draw(st.integers(0, len(lines) - 1))
            content = b"".join([*lines[: line + 1], *lines[line:]])
        elif kind == "crlf":
            content = b"\xef\xbb\xbf" * draw(st.booleans()) + content.replace(b"\n", b"\r\n")
    return content


def kinds(value) -> set[str]:
    """The types of a value and of all that it holds; of arrays, type and number of axes."""
    if isinstance(value, np.ndarray):
        return {f"{value.dtype.kind}{value.ndim}"}
    if isinstance(value, Mapping):
        return {"dict"}.union(*map(kinds, value.values()), *map(kinds, value))
    if isinstance(value, list | tuple):
        return {"list"}.union(*map(kinds, value))
    if dataclasses.is_dataclass(value):
        parts = (kinds(getattr(value, f.name)) for f in dataclasses.fields(value))
        return {type(value).__name__}.union(*parts)
    return {type(value).__name__}


class Hangs(BaseException):
    """A parser does not end."""


@contextmanager
def within(seconds):
    """Raise where the block takes longer: a hang is no failure of its own."""

    def give_up(*_):
        raise Hangs

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def remove(path: Path) -> None:
    path.unlink()


def attempt(entry: Parser, allowed: set[str] | None = None) -> str:
    """Read a damaged file: the message of the error, or "" where a value of its kind came out."""
    try:
        with within(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = entry.read()
    except UserError as error:
        named = (entry.path.name, f"{entry.path.stem}[.gz]")
        assert any(name in error.message for name in named), error.message
        assert "\n" not in error.message + error.fix and error.fix
        return error.message
    found = kinds(value)
    lenient = {"NoneType"} if entry.lenient else set()
    if allowed is not None:
        assert found <= allowed | entry.also | lenient, found - allowed
    return ""


@pytest.fixture(autouse=True, scope="module")
def address_space():
    """The tests run in eight GiB of addresses; memory beyond them is refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (EIGHT_GIB, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    """A finished run of four steps, its plan, and its report."""
    folder = tmp_path_factory.mktemp("parsers")
    root, data = folder / "runs", folder / "data"
    words = (
        "dataset=ring d_steps=4 log_every=2 score.every=1 score.n_fake=60 score.n_real=100 "
        "trainer.progress=false trainer.pictures=1 trainer.accelerator=cpu score.noise_seeds=0 "
        "score.metrics.prd.clusterings=1"
    )
    with pytest.MonkeyPatch.context() as patch:
        from bench.training import sample_pictures

        patch.setattr(sample_pictures, "_render", lambda figure: Image.new("RGB", (4, 2)))
        cfg = build.compose_config([f"runs_root={root}", *words.split(), *SMALL["mlp"]])
        job = prepare_job(cfg)
        assert execute(job).status == "finished"
    run = RunFolder(root, job.folder.run_id)
    planned = PlannedRun(run.run_id, ("seed=0",), "ns_gan", "ring", 0)
    write_plan(root, "s", "command", [StagePlan("all", (planned,), "", ({"a": 1},))], ["later"])
    stages = add_pictures(root, add_curves(root, read_stages(root, "s")), [run.run_id], [])
    study = folder / "study"
    for name, content in build_study_files(stages).items():
        write(study / name, content)
    return Made(root, run, study, data)


@pytest.fixture(scope="module")
def entry_of(made):
    """Return a parser by name, and the kinds of the value that it gives for its intact file."""

    @cache
    def make(name: str) -> tuple[Parser, set[str]]:
        entry = MAKERS[name](made)
        return entry, kinds(entry.read())

    return make


def fuzz(entry: Parser, allowed: set[str], data) -> None:
    content = entry.path.read_bytes()
    if entry.pack is not None and data.draw(st.booleans()):
        changed = entry.pack(data.draw(damaged(entry.inner)))
    else:
        changed = data.draw(damaged(content))
    with restored(entry.path):
        entry.path.write_bytes(changed)
        attempt(entry, allowed)


FEW = settings(
    max_examples=4, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
@FEW
@given(data=st.data())
def test_a_damaged_file_gives_a_value_of_its_kind_or_a_sentence(entry_of, name, data):
    fuzz(*entry_of(name), data)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
@settings(FEW, max_examples=10_000 // len(MAKERS))
@given(data=st.data())
def test_ten_thousand_damaged_files(entry_of, name, data):
    fuzz(*entry_of(name), data)


DAMAGES = {
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "broken link": lambda path: path.symlink_to("nowhere"),
    "bytes": lambda path: path.write_bytes(b"\xff\xfe\0"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", MAKERS)
def test_what_is_no_file_is_named_and_waited_for_by_nobody(entry_of, name, damage):
    entry, _ = entry_of(name)
    with restored(entry.path):
        entry.path.unlink()
        DAMAGES[damage](entry.path)
        assert attempt(entry) or entry.lenient


# Which functions parse files.

PARSING = {
    *("read_text", "read_bytes", "read_json", "find_json", "parse_json", "read_sums", "load_file"),
    *("safe_open", "read_table", "ParquetFile", "DictReader", "ZipFile", "Unpickler", "open"),
    *("np.load", "torch.load", "torch.jit.load", "json.load", "json.loads", "pickle.loads"),
    *("yaml.load", "yaml.safe_load", "yaml.parse", "Image.open", "gzip.open", "tarfile.open"),
    *("OmegaConf.load", "np.fromfile", "np.loadtxt", "np.genfromtxt", "ET.parse", "tomllib.load"),
}
KERNEL, OWN, MADE = "the kernel's own files", "files of the package", "what this process made"
USERS = "code that the user runs, or its own folder of configs"
NOT_RUN = {
    "execution.packs.memory_check.cgroup_available_bytes": KERNEL,
    "config.trust._own_targets": OWN,
    "config.config_files.FileConfigSource.load_config": USERS,
    "config.config_files._parse": USERS,
    "data.digits._read_digits": "the file of scikit-learn",
    "config.validate._hyperparameters_in": USERS,
    "config.validate.check_chosen_optimizer": USERS,
    "config.loss_label.own_penalty": USERS,
    "sweeping.display.printing_for_display": "writes",
    "metrics.declarations.read_declarations": OWN,
    "reporting.data.licences.licences_of": OWN,
    "reporting.tables.published.published_scores": OWN,
    "reporting.claims.modern.thresholds": OWN,
    "config.trust._is_of_trusted_package": USERS,
    "runs.foreign_code._version_of": USERS,
    "runs.foreign_code._parse": USERS,
    "data.download._receive": "appends; the checksum is checked afterwards",
    "execution.distributed.worker._make_picklable": MADE,
    "execution.packs.slot_io.insert_run": "a checkpoint that find_newest has checked",
    "features.clip._load_clip_tensors": "a published file, by its SHA-256",
    "reporting.archive.read.Study.table": "calls the parser of rows.parquet",
    "reporting.figures.samples._picture": "a picture that read_picture has checked",
    "reporting.report._check_not_fewer_runs": "calls the parser of rows.parquet",
    "core.files.write_folder": "calls the parser of SHA256SUMS",
    "theory.report.write_report": "calls the parser of SHA256SUMS",
    "reporting.wandb.leaderboard_report.format_report_json": MADE,
    "runs.digests._protocol_label": MADE,
    "runs.record.render_published_runs": MADE,
    "sweeping.launch_rounds.LaunchRounds._record_end": "the text of a refusal, read as it is",
    "sweeping.stages._parse_configurations": "calls the parser of tables",
    "theory.experiment.Figure._repr_png_": MADE,
    "training.sample_pictures._render": MADE,
    "training.sample_pictures.SamplePlotter.finish": "the pictures of its own run",
    "scoring.statistics_file.write_statistics": "writes",
    "core.files.replacing": "writes",
}


def parsing_functions() -> set[str]:
    """The functions of the suite that call one of PARSING: module.Class.function."""
    found = set()

    def walk(node, name):
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{name}.{child.name}"
            if isinstance(child, ast.Call):
                called = ast.unparse(child.func)
                if "/proc/" in called:  # the kernel's
                    continue
                if called in PARSING or called.rpartition(".")[2] in PARSING - {"open"}:
                    found.add(name)
            walk(child, inner)

    for path in sorted((ROOT / "bench").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / "bench").with_suffix("").parts)
        walk(ast.parse(path.read_bytes()), name)
    return found


def test_every_function_that_parses_files_is_run_by_the_table_or_left_out_for_a_reason(entry_of):
    ran = set()

    def remember(frame, event, _):
        if event == "call":
            module = frame.f_globals.get("__name__", "")
            ran.add(f"{module}.{frame.f_code.co_qualname}".removeprefix("bench."))

    entries = [entry_of(name)[0] for name in MAKERS]
    sys.setprofile(remember)
    try:
        for entry in entries:
            entry.read()
    finally:
        sys.setprofile(None)
    found = parsing_functions()
    assert len(found) > 60 and set() == NOT_RUN.keys() - found
    assert found - ran - NOT_RUN.keys() == set()  # enter it into the table, or give a reason
    assert NOT_RUN.keys() & ran == set()


# Files that are small and become large.


def bomb_png(folder):
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    content = with_checksums(png()[:16] + header + png()[29:])
    path = write(folder / "a.png", content)
    return path, lambda: read_image(path, path, 3)


def bomb_picture(folder):
    path = write(folder / "a.png", bomb_png(folder)[0].read_bytes())
    return path, lambda: read_picture(path)


def declared(shape, kind="<f8") -> bytes:
    """The .npy file of an array that is not there."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return np.lib.format.MAGIC_PREFIX + b"\1\0" + struct.pack("<H", len(text)) + text.encode()


def bomb_npz(folder):
    path = write(folder / "a.npz", zipped({"images.npy": declared((10**10, 8, 8))}))
    return path, lambda: read_user_images(path)


def bomb_npz_directory(folder):
    """Its list of members states two gigabytes."""
    content = bytearray(zipped({"mu.npy": npy(np.zeros(2)), "sigma.npy": npy(np.eye(2))}))
    at = content.index(b"PK\1\2") + 24
    content[at : at + 4] = struct.pack("<I", 2 * 10**9)
    path = write(folder / "a.npz", bytes(content))
    return path, lambda: read_statistics(path, extractor=Two())


def bomb_measurements(folder):
    path = write(folder / "a.npz", zipped({"about.npy": declared((10**12,))}))
    return path, lambda: store.read_npz(path)


def bomb_gzip(folder):
    entry = mnist(folder, lambda content: gzip.compress(content, 1), ".gz")
    zeros = gzip.compress(bytes(2**24), 9) * 2**10  # 16 GiB
    entry.path.write_bytes(gzip.compress(idx(np.zeros((3, 4, 5)))) + zeros)
    return entry.path, entry.read


def bomb_idx(folder):
    entry = mnist(folder)
    entry.path.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**10, 2**10))
    return entry.path, entry.read


def with_rows(content: bytes, old: int, new: int) -> bytes:
    """A Parquet file whose end states another number of rows: i64, field 3 of its metadata."""
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    before = b"\x16" + bytes([2 * old]) + b"\x19"  # a zigzag varint, before the row groups
    zigzag, number = 2 * new, b""
    while zigzag >= 128:
        number, zigzag = number + bytes([zigzag % 128 + 128]), zigzag // 128
    footer = content[end:-8].replace(before, b"\x16" + number + bytes([zigzag]) + b"\x19", 1)
    assert len(footer) > len(content[end:-8])
    return content[:end] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def bomb_rows(folder):
    content = with_rows(parquet({"run_id": ["a", "b", "c"]}), 3, 2**60)
    path = write(folder / "a.parquet", content)
    return path, lambda: read_parquet(path)


def bomb_images(folder):
    content = with_rows(parquet({"image": encoded()}), 3, 2**20)
    path = write(folder / "a.parquet", content)
    return path, lambda: read_user_images(path)


def bomb_text(folder):
    """One long text, repeated by a dictionary: 256 MiB in a small file."""
    text = pa.DictionaryArray.from_arrays(np.zeros(2**12, np.int32), ["x" * 2**16])
    path = write(folder / "a.parquet", parquet({"run_id": text}, store_schema=False))
    return path, lambda: read_parquet(path)


def bomb_yaml(folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    path = write(folder / "config.yaml", "\n".join(lines).encode())
    return path, lambda: build.read_config(path)


def bomb_yaml_depth(folder):
    path = write(folder / "config.yaml", b"a: " + b"[" * 10**6)
    return path, lambda: build.read_config(path)


def bomb_json(folder):
    path = write(folder / "a.json", b"[" * 10**5 + b"]" * 10**5)
    return path, lambda: read_json(path)


def bomb_json_size(folder):
    path = write(folder / "a.json", b"")
    os.truncate(path, 2**40)  # takes no space on the disk
    return path, lambda: read_json(path)


def bomb_safetensors(folder):
    path = write(folder / "tiny.safetensors", struct.pack("<Q", 2**60) + b"{}")
    return path, lambda: prepared.load(path, "tiny")


def bomb_tar(folder):
    info = tarfile.TarInfo("a")
    info.size = 2**40
    path = write(folder / "a.tar", info.tobuf() + bytes(10240))
    return path, unpacked(path)


def bomb_tar_name(folder):
    """A header of 2 GiB, of a name, in a file of two megabytes."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**33
    path = write(folder / "a.tar.gz", gzip.compress(info.tobuf() + bytes(2**24), 9))
    return path, unpacked(path)


BOMBS = {name: make for name, make in list(globals().items()) if name.startswith("bomb_")}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_would_grow_is_one_sentence_before_it_does(tmp_path, monkeypatch, name):
    monkeypatch.setattr(archive, "MAX_TABLE_BYTES", 2**26)
    path, read = BOMBS[name](tmp_path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert attempt(Parser(path, read))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown < 2**21  # KiB
