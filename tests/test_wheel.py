"""An installed wheel has its configs and weights, without the checkout."""

import importlib.metadata
import re
import subprocess
import sys
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
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


def test_everything_that_is_installed_is_held_to_one_version():
    """Every package that the suite and its extras bring here stands in constraints.txt."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
    waiting, brought = [("created-equal", ("all", "dev", "slurm", "ray"))], set()
    while waiting:
        name, extras = waiting.pop()
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # Ray is installed for slow tests alone
            continue
        brought.add((canonicalize_name(name), extras))
        for requirement in map(Requirement, requires):
            needed = (canonicalize_name(requirement.name), tuple(sorted(requirement.extras)))
            contexts = [{"extra": extra} for extra in ("", *extras)]
            wanted = requirement.marker is None or any(map(requirement.marker.evaluate, contexts))
            if wanted and needed not in brought:
                waiting.append(needed)
    names = {name for name, _ in brought} - {"created-equal"}
    assert len(names) > 100 and names <= pins.keys(), names - pins.keys()
