"""The package of `examples/`: installed, its parts are found and trusted by every command."""

import os
import re
import shutil
import subprocess
import sys
from functools import partial

import pytest
from support import ROOT

EXAMPLE = ROOT / "examples/mygan"


def call(*words, cwd, on_path):
    """Run Python in a process of its own, with a folder before the others on its path."""
    path = os.pathsep.join([str(on_path), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_a_plugins_folder_of_configs_is_found_and_its_targets_are_trusted(tmp_path):
    """A process of its own: Hydra looks for plugins once in a process."""
    code = """
from bench.config import trust
from bench.core.errors import UserError
print(*trust.config_folders()[1:])
trust.check_trusted({"loss": {"_target_": "mygan.focal.discriminator_loss"}}, "here")
assert trust.is_entry("dataset", "crescent") and not trust.is_entry("dataset", "none_such")
try:
    trust.check_trusted({"loss": {"_target_": "mygan.focal.softplus"}}, "here")
except UserError as error:
    print(error)
"""
    done = call("-c", code, cwd=tmp_path, on_path=EXAMPLE)
    assert done.returncode == 0, done.stderr
    folders, *refused = done.stdout.splitlines()
    assert folders == str(EXAMPLE / "mygan/conf")
    assert refused[0].startswith("error: here names 'mygan.focal.softplus', which is no part of")
    done = call("-c", code, cwd=tmp_path, on_path=tmp_path)
    assert done.returncode == 1 and "names 'mygan.focal.discriminator_loss'" in done.stderr


def test_the_packages_further_parts_are_those_of_the_page():
    """A regulariser with state, a term of the generator, a transform, a schedule: written once."""
    page = (ROOT / "docs/extending.md").read_text()
    for name in ("centre", "spread", "jitter", "halving"):
        assert f"\n```python\n{(EXAMPLE / f'mygan/{name}.py').read_text()}```\n" in page, name
    for name in ("penalty/centre", "penalty/spread", "augmentation/jitter", "optimizer/halving"):
        text = (EXAMPLE / f"mygan/conf/{name}.yaml").read_text()
        module = name.partition("/")[2]
        assert text.replace(f"mygan.{module}.", f"{module}.") in page, name


@pytest.mark.slow
def test_the_installed_package_is_trained_scored_verified_and_reported(tmp_path):
    """Only the wheel, as pip installs it, shows that the configs and the plugin are in it."""
    source, site = tmp_path / "mygan", tmp_path / "site"
    shutil.copytree(EXAMPLE, source)
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, *pip, "--target", site, source], check=True)
    shutil.rmtree(source)
    bench = partial(call, "-m", "bench", cwd=tmp_path, on_path=site)
    parts = ["variant=focal_gan", "dataset=crescent", "score=mygan"]
    quiet = ["trainer.progress=false", "trainer.accelerator=cpu", "trainer.pictures=0"]
    trained = bench("train", *parts, *quiet)
    assert trained.returncode == 0, trained.stderr
    assert "caution" not in trained.stderr and "went wrong" not in trained.stdout
    assert re.search(r"\n  radius +0\.0\d+ +0\.0\d+  lower is better\n", trained.stdout)
    for penalty in ("centre", "spread"):
        further = [f"penalty={penalty}", "augmentation=jitter", "optimizer=halving", "d_steps=3"]
        more = bench("train", *parts, *quiet, *further)
        assert more.returncode == 0, more.stderr
    run = re.search(r"run (\w+): ", trained.stdout)[1]
    scored = bench("score", run, "score.n_fake=500")
    assert scored.returncode == 0 and "radius" in scored.stdout, scored.stderr
    verified = bench("verify", run)
    assert verified.returncode == 0 and "identical" in verified.stdout, verified.stderr
    reported = bench("report", run, "--to", "page")
    assert reported.returncode == 0 and (tmp_path / "page/index.html").is_file(), reported.stderr
