"""A launcher that cannot be used here gives one sentence, before anything is written."""

import os
import subprocess
import sys

import pytest

HIDE = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "{0}" else find(name, *rest)
"""


def launched(tmp_path, launcher: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "bench.train", "-m", "dataset=ring", f"hydra/launcher={launcher}"],
        cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=200,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("launcher", "module"),
    [("ray", "ray"), ("slurm", "submitit"), ("submitit_local", "submitit")],
)
def test_a_missing_package_is_named_with_how_to_install_it(tmp_path, launcher, module):
    (tmp_path / "sitecustomize.py").write_text(
        HIDE.format(f"hydra_plugins.hydra_{module}_launcher")
    )
    done = launched(tmp_path, launcher, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    distribution = f"hydra-{module}-launcher"
    assert f"launcher {launcher!r} needs the package {distribution}" in done.stderr
    assert f"`pip install -c constraints.txt {distribution}`" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_slurm_where_there_is_no_slurm_is_one_sentence(tmp_path):
    done = launched(tmp_path, "slurm", PATH="")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "sbatch, which is not on this machine" in done.stderr and "  fix: " in done.stderr
    assert not (tmp_path / "runs").exists()
