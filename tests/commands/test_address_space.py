"""Every command under 8 GiB of address space, as `ulimit -v` and many schedulers set it."""

import argparse
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from support import SMALL

from bench.commands.cli import build_parser

EIGHT_GIB = 8 << 30
TRAIN = (
    "train -m variant=ns_gan,wgan dataset=ring d_steps=4 log_every=2 score.n_fake=60 "
    "score.n_real=100 score.noise_seeds=0 score.metrics.prd.clusterings=1 trainer.progress=false "
    "trainer.pictures=1 trainer.accelerator=cpu " + " ".join(SMALL["mlp"])
)
LINES = {  # in this order; RUN is the run_id of the first run
    "train": [TRAIN],  # a sweep without a file is named none
    "status": ["status none"],
    "runs": ["runs"],
    "show": ["show RUN"],
    "report": ["report none --to first"],
    "compare": ["compare first first"],
    "site": ["site first --to site"],
    "leaderboard": ["leaderboard first --wandb a/b --dry-run boards"],
    "reproduce": ["reproduce RUN", "reproduce RUN --rows first"],
    "verify": ["verify RUN", "verify --rows first --sample 1"],
    "sample": ["sample RUN -n 9"],
    "export": ["export RUN --to exported"],
    "score": [
        "score RUN score.n_fake=50",
        "score --images images.npz --reference dataset=digits score.n_real=60 --bare",
    ],
    "claims": ["claims --list", "claims T2 --quick --to claims --processes 1"],
    "prepare": ["prepare digits dataset.root=data"],
    "features": ["features digits_convnet features.folder=own features.training.settings.epochs=1"],
    "doctor": ["doctor"],
}


@pytest.mark.slow
def test_every_command_runs_in_eight_gib_of_addresses(tmp_path):
    (commands,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert LINES.keys() == commands.choices.keys()
    digits = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    np.savez(tmp_path / "images.npz", images=digits)
    failures = {}
    for line in (line for lines in LINES.values() for line in lines):
        run_ids = sorted(path.parent.name for path in tmp_path.glob("runs/*/config.yaml"))
        done = subprocess.run(
            [sys.executable, "-m", "bench", *line.replace("RUN", (run_ids or [""])[0]).split()],
            cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (EIGHT_GIB, EIGHT_GIB)),
        )  # fmt: skip
        if done.returncode or "Traceback" in done.stderr:
            failures[line] = done.stderr[-2000:]
    assert not failures
