"""What the commands leave unimported: Lightning and what it brings cost more than all else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from bench import train

pytestmark = pytest.mark.usefixtures("svg_only")
FAST = [
    "d_steps=4", "log_every=2", "trainer.progress=false", "trainer.pictures=0",
    "score.n_fake=60", "score.n_real=100", "network.width=8", "network.depth=2", "dataset=ring",
    "score.metrics.prd.clusterings=1",
]  # fmt: skip
LIGHTNING = {"pytorch_lightning", "torchmetrics", "torchvision", "torch._dynamo"}
CODE = """
import sys
from {module} import main
sys.argv = {words!r}
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("imported:", *sorted({heavy!r} & set(sys.modules)))
"""


def heavy_imports(module: str, words: list[str], heavy: set[str], cwd: Path) -> tuple[str, str]:
    """Run a command in a process of its own; return its output, and which modules it imported."""
    code = CODE.format(module=module, words=["bench", *words], heavy=heavy)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    output, _, imported = done.stdout.rpartition("imported:")
    return output, imported.strip()


def test_a_skipped_run_is_answered_without_lightning(run_command, tmp_path):
    done = run_command(train.main, *FAST)
    assert done.returncode == 0, done.stderr
    heavy = LIGHTNING | {"sklearn", "matplotlib", "scipy.signal", "bench.execution.run"}
    output, imported = heavy_imports("bench.train", FAST, heavy, tmp_path)
    first, second = (text.splitlines() for text in (done.stdout, output))
    assert "finished before, skipped" in second[0] and imported == ""
    assert first[1:] == second[1:]  # scores, and what went wrong, as when it was trained


def test_a_list_of_runs_needs_no_torch(tmp_path):
    (tmp_path / "runs").mkdir()
    heavy = LIGHTNING | {"torch", "sklearn", "scipy", "matplotlib"}
    assert heavy_imports("bench.commands.cli", ["runs"], heavy, tmp_path)[1] == ""


def test_planning_builds_models_but_imports_no_estimators(tmp_path):
    # Six seconds: only a process of its own shows what planning on digits imports.
    words = ["-m", "dataset=digits", "seed=0,1", "hydra.sweeper.plan_only=true"]
    output, imported = heavy_imports(
        "bench.train", words, {"pytorch_lightning", "sklearn", "wandb"}, tmp_path
    )
    assert "2 runs planned" in output and imported == "pytorch_lightning"
