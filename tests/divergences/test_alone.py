import inspect
import subprocess
import sys

import pytest
from support import ROOT

from bench import divergences


def test_the_pages_example_prints_what_it_says():
    page = (ROOT / "docs/divergences.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert [float(x) for x in done.stdout.split()] == pytest.approx([0.25, 1, 1, 1]), done.stderr


def test_the_page_names_what_there_is():
    page = (ROOT / "docs/divergences.md").read_text()
    functions = [n for n, _ in inspect.getmembers(divergences, inspect.isfunction)]
    functions.remove("on_common_points")
    assert "wasserstein" in functions
    absent = [n for n in functions if f"`{n}" not in page]
    assert not absent


def test_needs_numpy_and_scipy_alone():
    """Import the package in a fresh interpreter: no heavy library comes along."""
    code = (
        "import sys\nfrom bench import divergences\n"
        "found = {'torch', 'sklearn', 'hydra', 'matplotlib'} & set(sys.modules)\n"
        "assert not found, found\n"
        "ours = {m for m in sys.modules if m.startswith('bench.')}\n"
        "assert all(m.startswith('bench.divergences') for m in ours), ours"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
