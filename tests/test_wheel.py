"""An installed wheel has its configs and weights, without the checkout."""

import subprocess
import sys
import zipfile

import pytest
from support import ROOT

pytestmark = pytest.mark.slow


def test_a_wheel_trains_from_its_own_configs(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    wheel = next(tmp_path.glob("*.whl"))
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"bench/conf/config.yaml", "bench/conf/sweeps/quick.yaml"} <= names
    assert "hydra_plugins/created_equal_sweeper.py" in names
    assert "hydra_plugins/__init__.py" not in names  # it would hide the launchers' part
    assert any(n.endswith("digits_convnet.safetensors") for n in names)
    assert not [n for n in names if n.startswith(("tests", "conf", "sweeps", "runs", "data"))]
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import bench.config.paths as b;"
        "print(b.config_dir()); from bench.train import main;"
        "sys.argv = ['bench-train', 'd_steps=2', 'trainer.progress=false', 'score.n_fake=50',"
        "'network.dense=8', 'trainer.pictures=0']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == str(site / "bench" / "conf")
    assert "finished" in done.stdout
