"""An installed wheel has its configs and weights, without the checkout."""

import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def test_an_installed_wheel_trains_scores_and_reports_outside_the_checkout(wheel, tmp_path):
    """The suite is the wheel's, installed by pip into an environment of its own.

    Its requirements are those installed here, which a line in a .pth file adds to the path: that
    pip finds them itself is not shown, and what another package of this environment would bring.
    """
    venv.create(tmp_path / "env", with_pip=False)
    (site,) = (tmp_path / "env/lib").glob("python*/site-packages")
    (site / "requirements.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    python = tmp_path / "env/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--quiet", wheel], check=True)

    def bench(*words):
        return subprocess.run(
            [python.with_name("bench"), *words], cwd=tmp_path, capture_output=True, text=True,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        )  # fmt: skip

    doctor = bench("doctor")
    assert doctor.returncode == 0 and str(site / "bench/conf") in doctor.stdout, doctor.stdout
    few = ["d_steps=10", "score.n_fake=100", "trainer.pictures=1", "trainer.accelerator=cpu"]
    trained = bench("train", "dataset=ring", *few)
    assert trained.returncode == 0, trained.stderr
    run = re.search(r"\nrun (\w+): ", trained.stdout)[1]
    scored = bench("score", run, "score.n_fake=200")
    assert scored.returncode == 0 and "features of 200 samples" in scored.stdout, scored.stderr
    reported = bench("report", run, "--to", "page")
    assert reported.returncode == 0 and (tmp_path / "page/index.html").is_file(), reported.stderr


def test_a_wheel_trains_from_its_own_configs(wheel, tmp_path):
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
    waiting, brought = [("created-equal", ("all", "dev", "notebook", "slurm", "ray"))], set()
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
