"""Make small changes in the rooms, one at a time, and list those that no fast test notices.

`python tests/mutants.py --number 300 --seed 0 --room reporting` runs, for each change, the tests
that execute its line (the fastest first), then others of their files, until one fails. It works on
a copy of the repository in FOLDER and appends to FOLDER/results.jsonl; a later call goes on there.
"""

import argparse
import contextlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest
from mutations import draw

from bench.core import shims

ROOT = Path(__file__).parents[1]
ROOMS = ("sweeping", "execution", "evaluation", "reporting", "config")
SECONDS = 120  # a mutant whose tests take longer is killed
PRELOADED = (
    "pytorch_lightning hydra._internal.config_loader_impl matplotlib.pyplot scipy.stats hypothesis "
    "sklearn.linear_model pyarrow.parquet torchmetrics PIL.Image rich.table"
)


class Record:
    """Note which tests execute which lines of the rooms, how long each takes, and what fails."""

    def __init__(self, tree: Path, trace: bool):
        """Trace the lines of a tree's rooms, or only note what fails."""
        self.lines, self.seconds, self.failed, self.test = defaultdict(set), {}, [], ""
        self.folders = tuple(f"{tree}/bench/{room}/" for room in ROOMS)
        self.start = len(f"{tree}/")
        if trace:
            threading.settrace(self.call)
            sys.settrace(self.call)

    def call(self, frame, event, argument):
        """Trace the lines of a frame whose code lies in a room."""
        return self.line if frame.f_code.co_filename.startswith(self.folders) else None

    def line(self, frame, event, argument):
        """Note one line."""
        place = f"{frame.f_code.co_filename[self.start :]}:{frame.f_lineno}"
        self.lines[place].add(self.test)
        return self.line

    def pytest_runtest_logstart(self, nodeid):
        """Attribute the lines that follow to a test, its fixtures included."""
        self.test = nodeid

    def pytest_runtest_logreport(self, report):
        """Add up the seconds of a test."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


def run_tests(tree: Path, tests: list[str], *, trace: bool = False) -> dict | None:
    """Run tests of a tree in a fork of this process; return what was recorded, None when late."""
    scratch, answer = tree.parent / "scratch", tree.parent / "answer.json"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    answer.unlink(missing_ok=True)
    if not (child := os.fork()):
        os.setsid()
        os.chdir(tree)
        os.environ |= {"TMPDIR": str(scratch), "PYTHONPATH": str(tree)}
        sys.path[:] = [str(tree), *(p for p in sys.path if not p.startswith(str(ROOT / "tests")))]
        output = os.open(tree.parent / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        record = Record(tree, trace)
        for path in tree.glob("bench/*/**/*.py") if trace else ():
            if path.relative_to(tree).parts[1] in ROOMS and path.stem != "__init__":
                importlib.import_module(".".join(path.relative_to(tree).with_suffix("").parts))
        options = ["-p", "no:cacheprovider", "-m", "not slow", *([] if trace else ["-x"])]
        status = pytest.main([*options, *tests], plugins=[record])
        sys.settrace(None)
        lines = {place: sorted(names) for place, names in record.lines.items()}
        found = {"status": int(status), "failed": record.failed, "seconds": record.seconds}
        answer.write_text(json.dumps(found | {"lines": lines}))
        os._exit(0)
    end = time.monotonic() + (3600 if trace else SECONDS)
    while not (ended := os.waitpid(child, os.WNOHANG)[0]) and time.monotonic() < end:
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # it, or what its tests have left
    if not ended:
        os.waitpid(child, 0)
        return None
    return json.loads(answer.read_text()) if answer.exists() else {"status": -1, "failed": []}


def choose(file: str, line: int, covered: dict, limit: float) -> list[str]:
    """Return the tests of a line that pass unchanged, the fastest first, then their files'."""
    seconds, lines = covered["seconds"], covered["lines"]
    of_file = {t for p, tests in lines.items() if p.startswith(f"{file}:") for t in tests if t}
    here = {t for t in lines.get(f"{file}:{line}", ()) if t} or of_file  # a line of an import
    files = {t.partition("::")[0] for t in here}
    near = {t for t in seconds if t.partition("::")[0] in files}
    order = sorted(near, key=lambda t: (t not in here, t not in of_file, seconds[t]))
    chosen: list[str] = []
    for test in order:
        limit -= seconds[test]
        if limit > 0 and test not in covered["failed"]:
            chosen.append(test)
    return chosen


def copy_tree(tree: Path) -> None:
    """Copy the files that git knows or would add."""
    listing = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.check_output(listing, cwd=ROOT, text=True).split("\0")
    for name in (n for n in names if (ROOT / n).is_file()):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)


def main() -> None:
    """Draw mutants, run their tests, print those that no test notices."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--number", type=int, default=300)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--room", action="append", choices=ROOMS, help="default: all")
    options.add_argument("--limit", type=float, default=60, help="seconds of tests for a mutant")
    options.add_argument("--folder", type=Path, default=Path("/tmp/mutants"))
    options.add_argument("tests", nargs="*", help="files and folders of tests; default: all")
    o = options.parse_args()
    rooms = o.room or ROOMS
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    shims.ensure_torchvision()
    for name in PRELOADED.split():
        importlib.import_module(name)
    for name in [n for n in sys.modules if n.partition(".")[0] == "bench"]:
        del sys.modules[name]
    names = ("main", "sources.json", "coverage.json", "results.jsonl")
    tree, originals, coverage, results = (o.folder / name for name in names)
    if not originals.exists():
        copy_tree(tree)
        files = sorted((tree / "bench").rglob("*.py"))
        originals.write_text(json.dumps({str(p.relative_to(tree)): p.read_text() for p in files}))
    texts = json.loads(originals.read_text())
    sources = {file: texts[file] for file in texts if file.split("/")[1] in rooms}
    for file in sources:
        if (tree / file).read_text() != sources[file]:  # an interrupted call has left it changed
            (tree / file).write_text(sources[file])
    if not coverage.exists():
        coverage.write_text(json.dumps(run_tests(tree, o.tests, trace=True)))
    covered = json.loads(coverage.read_text())
    done = [json.loads(line) for line in results.open()] if results.exists() else []
    known = {(m["file"], m["line"], m["change"]) for m in done}
    for file, line, change, source in draw(sources, o.number, o.seed):
        if (file, line, change) in known:
            continue
        tests, start = choose(file, line, covered, o.limit), time.monotonic()
        (tree / file).write_text(source)
        found = run_tests(tree, tests) if tests else {"status": 5, "failed": []}
        (tree / file).write_text(sources[file])
        end = "late" if found is None else "survived" if found["status"] in (0, 5) else "killed"
        facts = {"file": file, "line": line, "change": change, "end": end, "tests": len(tests)}
        facts |= {"by": found and found["failed"][:1], "seconds": time.monotonic() - start}
        with results.open("a") as out:
            out.write(json.dumps(facts) + "\n")
        print(f"{end:9}{file}:{line}  {change}", flush=True)


if __name__ == "__main__":
    main()
