"""All statements by their small budgets, and the notebook that shows them: slow."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from bench.theory.catalogue import experiments_by_id
from bench.theory.experiment import NOT_TESTED, VERDICTS

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs_root(tmp_path_factory):
    """Where `bench claims --quick` left its results."""
    root = tmp_path_factory.mktemp("claims") / "runs"
    command = [sys.executable, "-m", "bench", "claims", "--quick", "--runs-root", str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1].endswith("claims-quick/index.html")
    return root


def test_every_statement_has_a_verdict_and_a_figure(runs_root):
    folder = runs_root / "reports" / "claims-quick"
    report = (folder / "report.md").read_text()
    for name in experiments_by_id():
        line = next(one for one in report.splitlines() if one.startswith(f"| [{name}]("))
        verdict = line.split("**")[1].removesuffix(" (quick)")
        assert verdict in VERDICTS and (verdict == NOT_TESTED) == (name == "T25")
        assert verdict == NOT_TESTED or list(
            (folder / "figures").glob(f"T{int(name[1:]):02}-*.svg")
        ), name


@pytest.mark.parametrize("started", [1, 2])
def test_a_process_that_is_killed_is_one_sentence_and_loses_nothing(tmp_path, started):
    """While the second one is being started, too."""
    command = [sys.executable, "-m", "bench", "claims", "T20", "T24", "--quick"]
    command += ["--processes", "2", "--runs-root", str(tmp_path)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    workers = []
    while len(workers) < started and running.poll() is None:
        workers = _workers(running.pid)
    os.kill(workers[0], signal.SIGKILL)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 2 and b"a process that measured was killed" in said
    assert b"Traceback" not in said
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "2 statements about GANs" in done.stdout


def _workers(parent: int) -> list[int]:
    """Processes of the pool: children of `parent` that were spawned."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            mine = int((path / "stat").read_text().rpartition(")")[2].split()[1]) == parent
            if mine and b"spawn_main" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


def test_the_notebook_runs_and_is_the_one_that_is_kept(runs_root):
    sys.path.insert(0, str(ROOT / "docs"))
    import make_notebook

    book = make_notebook.notebook()
    kept = nbformat.read(ROOT / "docs" / "claims.ipynb", as_version=4)
    sources = [(cell.cell_type, cell.source) for cell in book.cells]
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == sources
    assert all(cell.outputs for cell in kept.cells[3::2])
    book.cells[1].source = book.cells[1].source.replace('"runs"', repr(str(runs_root)))
    done = make_notebook.execute(book, ROOT)
    assert all(cell.outputs for cell in done.cells[3::2])
