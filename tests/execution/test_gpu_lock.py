"""GPUs are shared evenly, each process keeps its own, and dead processes hold none."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest
import torch

from bench.core.errors import UserError
from bench.execution import gpu_lock

FORK = multiprocessing.get_context("fork")  # a child that has imported all of it already


def hold(names: str, folder: Path, taken) -> None:
    name, _lock = gpu_lock.acquire_least_used(names.split(","), folder)
    taken.put(name)
    time.sleep(600)


@pytest.fixture
def start_holder(tmp_path):
    """(names) -> the name that a new process locks and holds, and that process."""
    processes = []

    def start(names: str) -> tuple[str, multiprocessing.Process]:
        taken = FORK.SimpleQueue()
        process = FORK.Process(target=hold, args=(names, tmp_path / "slots", taken))
        process.start()
        processes.append(process)
        return taken.get(), process

    yield start
    for process in processes:
        process.kill()
        process.join()


def test_processes_share_evenly_and_a_killed_one_gives_its_gpu_back(start_holder):
    names, processes = zip(*(start_holder("5,7") for _ in range(4)), strict=True)
    assert names == ("5", "7", "5", "7")
    processes[1].kill()
    processes[1].join()
    assert (
        start_holder("5,7")[0] == "7"
    )  # held twice before; now "5" is, and the free place is found
    assert start_holder("5,7")[0] == "5"


def test_who_sees_other_gpus_does_not_count_ours(start_holder):
    assert start_holder("0,1")[0] == "0"
    assert start_holder("1,2")[0] == "1"
    assert start_holder("0,1,2")[0] == "2"


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """A machine with three GPUs, of which this process holds none."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(gpu_lock, "_held_locks", [])
    monkeypatch.setattr(gpu_lock.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    yield
    for lock in gpu_lock._held_locks:
        lock.close()


@pytest.mark.parametrize(("given", "taken"), [("", "0"), ("GPU-9f, 4,2", "GPU-9f")])
def test_a_process_sees_its_gpu_alone_and_claims_once(gpus, monkeypatch, given, taken):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    gpu_lock.acquire_gpu("auto")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == taken and len(gpu_lock._held_locks) == 1
    gpu_lock.acquire_gpu("auto")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == taken and len(gpu_lock._held_locks) == 1


@pytest.mark.parametrize(("accelerator", "devices"), [("cpu", 1), ("gpu", 2), ("gpu", "auto")])
def test_runs_on_the_cpu_or_on_several_gpus_claim_none(gpus, accelerator, devices):
    gpu_lock.acquire_gpu(accelerator, devices)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "" and not gpu_lock._held_locks


def test_after_cuda_woke_it_is_too_late(gpus, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    gpu_lock.acquire_gpu("gpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "" and not gpu_lock._held_locks


def test_one_gpu_is_everybodys(gpus, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    gpu_lock.acquire_gpu("gpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "" and not gpu_lock._held_locks


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot lock a GPU"):
        gpu_lock.acquire_least_used(["0", "1"], tmp_path / "file")


@pytest.mark.parametrize("kind", ["link", "open to others", "of another user"])
def test_a_folder_that_others_could_have_made_is_refused(tmp_path, monkeypatch, kind):
    folder = tmp_path / "locks"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o770 if kind == "open to others" else 0o700)
    if kind == "of another user":
        monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(UserError, match="locks: it is not a folder that is yours alone"):
        gpu_lock.acquire_least_used(["0", "1"], folder)
    assert not list(folder.iterdir())
