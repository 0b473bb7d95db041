"""A sweep launched in the test's own process."""

import shutil

import pytest
from support import TINY

from bench.train import main

_launched = {}


@pytest.fixture
def launch(tmp_path, run_command):
    """Launch a sweep file of the test in this process: (overrides, text) -> exit and output."""
    folder = tmp_path / "conf" / "sweeps"
    folder.mkdir(parents=True)

    def call(*overrides: str, text: str = TINY, sweep: str = "tiny"):
        (folder / f"{sweep}.yaml").write_text(text)
        words = ["-m", "--config-dir", str(tmp_path / "conf"), f"sweeps={sweep}", *overrides]
        return run_command(main, *words)

    return call


@pytest.fixture
def launched(launch, tmp_path, tmp_path_factory):
    """Return the exit and output of TINY, launched once; its runs are in the test's folder."""
    if _launched:
        shutil.copytree(_launched["runs"], tmp_path / "runs")
    else:
        _launched["done"] = launch()
        _launched["runs"] = tmp_path_factory.mktemp("launched") / "runs"
        shutil.copytree(tmp_path / "runs", _launched["runs"])
    return _launched["done"]
