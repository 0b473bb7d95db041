"""A sweep launched in the test's own process."""

import sys
from dataclasses import dataclass

import pytest
from hydra.core.global_hydra import GlobalHydra
from support import TINY

from bench.train import main


@dataclass
class Done:
    """Exit status and output of a command."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def launch(tmp_path, monkeypatch, capsys):
    """Launch a sweep file of the test in this process: (overrides, text) -> Done."""
    folder = tmp_path / "conf" / "sweeps"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def call(*overrides: str, text: str = TINY, sweep: str = "tiny") -> Done:
        (folder / f"{sweep}.yaml").write_text(text)
        words = ["-m", "--config-dir", str(tmp_path / "conf"), f"sweeps={sweep}", *overrides]
        monkeypatch.setattr(sys, "argv", ["bench-train", *words])
        capsys.readouterr()
        GlobalHydra.instance().clear()
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return Done(left.value.code, printed.out, printed.err)

    return call
