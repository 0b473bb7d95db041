"""Rows and heartbeats of many processes: no server, no lock."""

import json
import multiprocessing
import os
import socket
import time
from pathlib import Path

import pytest

from bench.core.files import write_json
from bench.runs.folder import RunFolder
from bench.runs.heartbeat import STALE_SECONDS, Heartbeat, active_elsewhere, file_clock
from bench.runs.plans import PlannedRun
from bench.runs.rows import Row, read_row, write_row
from bench.runs.run_status import StatusReader, count_states, format_counts

FORK = multiprocessing.get_context("fork")
PROTOCOL = {"name": "quick", "data": "digits"}
MEASURES = {"frechet": {"scores": {}, "request": "asked"}, "prdc": {"scores": {}, "request": "too"}}


def row_of(run_id: str, value: float = 1.0) -> Row:
    return Row(
        run_id=run_id, variant="wgan", loss="wgan", model="gan", network="mlp", dataset="ring",
        seed=0, d_steps=1, g_steps=1, images=64, status="finished", cause="", checkpoint="final",
        protocol=PROTOCOL, measures=MEASURES, hyperparameters={},
        scores={f"s{n}": value for n in range(50)}, details={},
    )  # fmt: skip


def write_many(root: Path, number: int, of: int) -> None:
    """Write 1,250 rows that only this process writes, and 250 that all processes write."""
    for index in range(1250):
        write_row(root, row_of(f"run-{number}-{index:04d}"))
        if index % 5 == 0:
            write_row(root, row_of(f"shared-{index:04d}"))


@pytest.mark.slow
def test_eight_processes_lose_no_row_of_ten_thousand_and_duplicate_none(tmp_path):
    writers = [FORK.Process(target=write_many, args=(tmp_path, n, 8)) for n in range(8)]
    for writer in writers:
        writer.start()
    seen = 0
    while any(writer.is_alive() for writer in writers):  # a reader meanwhile sees whole rows
        for path in list(tmp_path.glob("run-*/row-*.json"))[-300:]:
            assert len(read_row(path).scores) == 50
            seen += 1
    assert [writer.exitcode for writer in writers] == [0] * 8 and seen > 100
    rows = [read_row(path) for path in tmp_path.glob("*/row-*.json")]
    assert len(rows) == len({row.run_id for row in rows}) == 8 * 1250 + 250
    assert not list(tmp_path.rglob("*.part"))


def test_a_heartbeat_file_exists_only_while_its_process_runs(tmp_path):
    path = tmp_path / "pulse.json"
    with Heartbeat(path, 100).running() as heartbeat:
        while not path.is_file():
            time.sleep(0.01)
        heartbeat.step = 7
        assert active_elsewhere(path, file_clock(tmp_path)) is None  # our own is nobody else's
    assert not path.exists()


@pytest.mark.parametrize(
    ("facts", "age", "alive"),
    [
        ({"host": "another", "pid": 1}, 1, True),
        ({"host": "another", "pid": 1}, STALE_SECONDS + 1, False),
        ({"host": "another", "pid": 1}, -STALE_SECONDS - 1, False),  # the clock was set back since
        ({"host": socket.gethostname(), "pid": os.getppid()}, 1, True),
        ({"host": socket.gethostname(), "pid": 2**22 + 5}, 1, False),  # above Linux's largest
    ],
)
def test_which_processes_count_as_active(tmp_path, facts, age, alive):
    path = tmp_path / "pulse.json"
    write_json(path, facts)
    now = file_clock(tmp_path)
    os.utime(path, (now - age, now - age))
    assert (active_elsewhere(path, now) is not None) == alive


def test_the_status_of_runs_is_read_from_their_folders(tmp_path):
    def planned(name):
        return PlannedRun(name, (), "wgan", "ring", 0, request=("asked",), data="digits")

    for name, status in (("a", "finished"), ("b", "finished"), ("c", "failed"), ("d", "running"),
                         ("e", "running"), ("f", "interrupted"), ("g", "finished")):  # fmt: skip
        RunFolder(tmp_path, name).write_status(status, "why" if status == "failed" else "")
    write_row(tmp_path, row_of("a"))
    write_row(tmp_path, row_of("g"))
    write_json(tmp_path / "e" / "pulse.json", {"host": "another", "pid": 1})
    other = PlannedRun(
        "g", (), "wgan", "ring", 0, request=("asked", "another score"), data="digits"
    )
    reader = StatusReader(tmp_path, {"h": "no such rate"})
    statuses = reader.read([*map(planned, "abcdef"), other, planned("h"), planned("i")])
    assert [s.state for s in statuses] == [
        "finished", "interrupted", "failed", "interrupted", "running", "interrupted",
        "interrupted", "refused", "waiting",
    ]  # fmt: skip
    assert statuses[2].cause == "why" and statuses[4].heartbeat["host"] == "another"
    assert format_counts(count_states(statuses)) == (
        "1 finished, 1 failed, 1 refused, 4 interrupted, 1 running, 1 waiting"
    )
    row = RunFolder(tmp_path, "a").row_files()[0]
    row.write_text(json.dumps({**json.loads(row.read_text()), "status": "failed"}))
    assert StatusReader(tmp_path).read([planned("a")])[0].state == "interrupted"
