"""Folders that `bench export` writes, for people who have torch and nothing of this suite."""

import ast
import errno
import os
import runpy
import sys

import pytest
import torch
from support import SMALL

from bench.commands import cli, export
from bench.config import build
from bench.core.errors import Caution, UserError
from bench.core.files import sha256_of
from bench.core.seeds import generator as stream
from bench.models.priors import normal
from bench.networks.sampler import Sampler
from bench.runs.rows import read_row

FILES = ["README.md", "config.yaml", "generator.pt2", "generator.safetensors", "load.py"]
FILES += ["samples.png"]
slow = pytest.mark.slow


@pytest.fixture
def run(finished):
    return finished("dataset=ring", network="mlp").folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "network", ["mlp", *(pytest.param(name, marks=slow) for name in SMALL if name != "mlp")]
)
def test_the_loader_draws_the_samples_of_the_run_bit_for_bit(finished, network, tmp_path):
    """Without any module of the suite or its other dependencies, which a loader cannot import."""
    dataset = "ring" if network == "mlp" else "digits"
    folder = finished(f"dataset={dataset}", f"network={network}", network=network).folder
    export.export_run(folder, tmp_path / "out")
    samples = build.build_sampler(folder).samples(7, stream(3, "score"), 500)
    sample = runpy.run_path(str(tmp_path / "out" / "load.py"))["sample"]
    assert torch.equal(sample(7, seed=3), samples)
    assert len(sample(501)) == 501 and len(sample(1)) == 1
    tree = ast.parse((tmp_path / "out" / "load.py").read_text())
    imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in
               node.names}  # fmt: skip
    imports |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imports == {"hashlib", "pathlib", "torch"}


def test_a_folder_says_what_it_is_and_how_good(run, run_command, tmp_path):
    (tmp_path / "out").mkdir()  # empty: it may be there
    line = ("export", run.run_id[:6], f"--runs-root={run.root}", "--to=out")
    done = run_command(cli.main, *line)
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.splitlines()[-1] == "to publish it: hf upload YOUR_NAME/ns_gan-ring out"
    out = tmp_path / "out"
    assert names(out) == FILES
    assert sha256_of(out / "generator.safetensors") == sha256_of(run.generator)
    card, config = ((out / name).read_text() for name in ("README.md", "config.yaml"))
    assert str(tmp_path) not in card + config  # nothing of this machine
    assert "_target_: bench.networks.mlp.generator" in config
    row = read_row(run.row_files("final-")[0])
    assert f"| Frechet distance | {row.scores['frechet']:.4g} |" in card
    assert f"n fake: {row.protocol['n_fake']}" in card and "![Samples](samples.png)" in card
    assert "python -m bench.train" in card and "drawn by the suite" in card
    assert "image" not in card.split("---")[1]  # points

    before = {name: sha256_of(out / name) for name in names(out)}
    done = run_command(cli.main, *line)
    assert done.returncode == 2 and "out exists and is no empty folder" in done.stderr
    assert before == {name: sha256_of(out / name) for name in names(out)}


class Branching(torch.nn.Module):
    """A network that computes something else for other numbers."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, latent):
        return self.scale * (latent if latent.sum() > 0 else -latent)


class Noisy(Branching):
    """A network that draws numbers of its own: its program draws others."""

    def forward(self, latent):
        return self.scale * torch.rand_like(latent)


def elsewhere(count, latent_dim, generator):
    return normal(count, latent_dim, generator)


@pytest.mark.parametrize("part", ["network", "noise", "prior", "width"])
def test_what_torch_cannot_export_is_left_out_with_a_word(run, tmp_path, monkeypatch, capfd, part):
    """A width that is a text would become a line of load.py."""
    given = build.build_sampler(run)
    sampler = {
        "network": Sampler(Branching(), normal, 2),
        "noise": Sampler(Noisy(), normal, 2),
        "prior": Sampler(given.generator, elsewhere, 2),
        "width": Sampler(given.generator, normal, "2)\nimport os\n("),
    }[part]
    monkeypatch.setattr(export, "build_finished_sampler", lambda _: sampler)
    reason = {"network": r"write \S+Branching", "noise": r"write \S+Noisy", "prior": "elsewhere"}
    with pytest.warns(Caution, match=reason.get(part, "its latent_dim is '2")):
        export.export_run(run, tmp_path / "out")
    assert capfd.readouterr() == ("", "")  # torch prints graphs
    assert not {"generator.pt2", "load.py"} & {*names(tmp_path / "out")}
    assert "It needs this suite." in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("fault", ["unfinished", "no row", "disk"])
def test_nothing_is_left_of_a_folder_that_cannot_be_written(run, tmp_path, monkeypatch, fault):
    if fault == "unfinished":
        run.write_status("interrupted", "by a test")
    elif fault == "no row":
        run.row_files()[0].unlink()
    else:

        def full(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(export.os, "replace", full)
    monkeypatch.setattr(export, "_write_program", lambda *_: "")
    before = names(tmp_path)
    said = {"disk": "No space left", "no row": "has no row"}.get(fault, "not finished: by a test")
    with pytest.raises(UserError, match=said):
        export.export_run(run, tmp_path / "out")
    assert names(tmp_path) == before


def test_a_config_tells_nothing_of_the_machine():
    config = {"dataset": {"root": "/home/me/data", "shape": [2]}, "paths": ["/a/b", "a/b"], "x": 1}
    without = {"dataset": {"root": "data", "shape": [2]}, "paths": ["b", "a/b"], "x": 1}
    assert export.without_paths(config) == without


@slow
def test_the_loader_runs_where_the_suite_is_not(run, tmp_path):
    """What only a process of its own shows: no module but torch's and Python's is needed."""
    import subprocess

    export.export_run(run, tmp_path / "out")
    hidden = "bench", "safetensors", "hydra", "omegaconf", "pytorch_lightning", "PIL", "scipy"
    code = f"import sys; sys.modules.update(dict.fromkeys({hidden})); sys.path.insert(0, '.'); "
    done = subprocess.run(
        [sys.executable, "-I", "-c", code + "from load import sample; print(sample(5).shape)"],
        cwd=tmp_path / "out", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "torch.Size([5, 2])\n"
