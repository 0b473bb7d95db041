"""What a sweep shows while it runs: lines for workers and totals, or plain lines."""

import io
import os
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from bench.runs.folder import RunFolder
from bench.runs.heartbeat import Heartbeat
from bench.runs.plans import PlannedRun
from bench.sweeping import display
from bench.training.monitor import step_bar


@pytest.fixture
def progress(tmp_path):
    """Return the progress of four planned runs, the first of which trains and the second failed."""
    runs = [PlannedRun(f"{n:016x}", (), "ns_gan", "ring", n, sample=n % 2) for n in range(4)]
    progress = display.SweepProgress("demo", tmp_path, runs)
    running, failed = (RunFolder(tmp_path, run.run_id) for run in runs[:2])
    running.write_status("running")
    failed.write_status("failed", cause="too hot")
    beat = Heartbeat(running.heartbeat, 3000)
    beat.step = 1200
    with beat.running():
        while not running.heartbeat.exists():
            time.sleep(0.01)
        yield progress


def drawn(renderable, width=80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(renderable)
    return console.file.getvalue().splitlines()


def test_a_running_run_has_a_line_and_the_totals_stand_below(progress):
    first, last = drawn(progress.render())
    assert first.startswith("ns_gan on ring, seed 0 ") and "1,200 of 3,000 training" in first
    assert last == "sweep demo: 0 of 4 done, 1 failed, 3 left"


def test_an_estimate_is_the_mean_pace_so_far(progress, monkeypatch):
    monkeypatch.setattr(display, "COMPLETED", ("failed",))  # one of four is done
    monkeypatch.setattr(time, "monotonic", lambda: progress.started_at + 120)
    assert progress.line() == "sweep demo: 1 of 4 done, 1 failed, 2 left; about 4 min"


def test_many_workers_are_counted(progress, monkeypatch):
    monkeypatch.setattr(display, "MAX_WORKERS", 0)
    assert drawn(progress.render())[-2] == "and 1 more"


def test_plain_lines_come_from_time_to_time_and_hold_no_control_character(
    progress, monkeypatch, capsys
):
    monkeypatch.setattr(display, "LINE_SECONDS", 0.01)
    with display.showing_progress(progress, on_terminal=False, collect=True):
        assert display.VARIABLE not in os.environ
        time.sleep(0.2)
    lines = capsys.readouterr().out.splitlines()
    assert set(lines) == {"sweep demo: 0 of 4 done, 1 failed, 3 left"}


def test_what_jobs_print_is_shown_by_the_display(progress, monkeypatch, capsys):
    monkeypatch.setattr(display, "DISPLAY_SECONDS", 0.01)
    with display.showing_progress(progress, on_terminal=True, collect=True):
        path = Path(os.environ[display.VARIABLE])
        with display.printing_for_display():
            print("a run: finished \x1b[2J")
            print("caution: hot", file=sys.stderr)
        assert path.read_text().splitlines()[1] == "caution: hot"
    assert not path.exists() and display.VARIABLE not in os.environ
    assert capsys.readouterr().out == "a run: finished \\x1b[2J\ncaution: hot\n"
    with display.printing_for_display():
        print("no display")
    assert capsys.readouterr().out == "no display\n"


@pytest.mark.parametrize("shown", [True, False])
def test_a_bar_is_drawn_on_a_terminal(terminal, shown):
    step_bar("a run", 10, shown=shown).close()
    assert ("a run:   0%" in terminal.getvalue()) == shown


def test_no_bar_is_drawn_into_a_file(capsys):
    step_bar("a run", 10, shown=True).close()
    assert capsys.readouterr().err == ""
