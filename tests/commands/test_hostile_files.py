"""Hostile files: nothing in them runs, nothing is written where they say, no socket is opened."""

import json
import pickle
import shutil
import socket
import zipfile

import numpy as np
import pytest
import torch

from bench.commands import cli
from bench.config import build
from bench.core.errors import Caution, UserError
from bench.core.files import sha256_of
from bench.data.cifar import parse_batch
from bench.execution.run import execute
from bench.reporting import load
from bench.runs.folder import RunFolder
from bench.theory.store import read_npz
from bench.training.checkpoints import Checkpoints
from bench.training.job import prepare_job


class Harm:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A path that a hostile file tries to write; connections are refused, and remembered."""

    def refuse(*arguments, **words):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tmp_path / "canary"


@pytest.fixture
def run(train_once, tmp_path):
    """A copy of a finished run's folder."""
    job = train_once("dataset=ring", network="mlp")
    shutil.copytree(job.folder.root, tmp_path / "runs")
    return RunFolder(tmp_path / "runs", job.folder.run_id)


def npz_of(path, **members):
    """An .npz whose members are whatever bytes are given."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def pickled_array(harm) -> bytes:
    """The bytes of a .npy file that holds pickled objects."""
    head = np.lib.format.MAGIC_PREFIX + bytes((1, 0))
    text = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return head + len(text).to_bytes(2, "little") + text + pickle.dumps([harm])


@pytest.mark.parametrize("name", ["generator.safetensors", "status.json", "config.yaml"])
@pytest.mark.parametrize("command", ["sample", "score", "verify", "reproduce"])
def test_a_pickle_in_a_run_folder(run, canary, run_command, name, command):
    (run.path / name).write_bytes(pickle.dumps(Harm(canary)))
    done = run_command(cli.main, command, str(run.path), "--runs-root", str(run.root))
    assert not canary.exists() and done.returncode in (0, 2) and "Traceback" not in done.stderr
    if command == "sample":
        assert done.returncode == 2 and "error: " in done.stderr


@pytest.mark.parametrize("where", ["--images", "--reference"])
def test_pickled_arrays_among_images_and_statistics(canary, run_command, tmp_path, where):
    hostile = npz_of(tmp_path / "x.npz", images=pickled_array(Harm(canary)))
    stats = {
        name: pickled_array(Harm(canary)) for name in ("mu", "sigma", "n", "protocol", "sha256")
    }
    paths = {"--images": hostile, "--reference": npz_of(tmp_path / "s.npz", **stats)}
    harmless = tmp_path / "images.npz"
    np.savez(harmless, images=np.zeros((60, 8, 8), np.uint8))
    words = {"--images": harmless, "--reference": harmless, where: paths[where]}
    flat = [str(word) for pair in words.items() for word in pair]
    done = run_command(cli.main, "score", *flat, "features=digits_convnet", "--bare")
    assert done.returncode == 2 and not canary.exists() and "Traceback" not in done.stderr


def test_pickles_where_the_suite_reads_arrays_and_weights(canary, tmp_path):
    npz = npz_of(tmp_path / "x.npz", about=pickled_array(Harm(canary)))
    with pytest.raises(UserError):
        read_npz(npz)
    with pytest.raises(ValueError, match="not a batch of images"):
        parse_batch(pickle.dumps({b"data": Harm(canary)}))
    torch.save({"state": Harm(canary)}, tmp_path / "harm")
    named = f"step-000000001-{sha256_of(tmp_path / 'harm')[:16]}.ckpt"
    (tmp_path / "harm").rename(tmp_path / named)
    with pytest.warns(Caution, match="is damaged"):
        assert Checkpoints(tmp_path, keep=2).find_newest() is None
    assert not canary.exists()


@pytest.mark.parametrize("name", ["rows.parquet", "history.parquet", "plan.json", "runs.jsonl"])
def test_a_pickle_among_published_files(canary, tmp_path, name):
    for file in ("rows.parquet", "history.parquet", "plan.json", "runs.jsonl"):
        (tmp_path / file).write_bytes(b"")
    (tmp_path / "environments.json").write_text(json.dumps([]))
    (tmp_path / name).write_bytes(pickle.dumps(Harm(canary)))
    with pytest.raises(UserError):
        load(tmp_path)
    assert not canary.exists()


def test_a_cached_feature_that_is_a_pickle_is_computed_anew(run, canary, tiny):
    cached = sorted((run.root / "references").iterdir())
    for path in cached:
        path.write_bytes(pickle.dumps(Harm(canary)))
    words = [w for w in tiny("dataset=ring", network="mlp") if not w.startswith("runs_root=")]
    job = prepare_job(build.compose_config([*words, f"runs_root={run.root}", "score.n_fake=70"]))
    assert execute(job).row.scores and not canary.exists()
