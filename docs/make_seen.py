"""Train variants with `preset=quick` on digits and keep a picture and a score of each for its page.

`python docs/make_seen.py NAME ...` writes docs/variants/images/NAME.png, samples beside digits,
and the numbers into docs/variants/seen.json; `make docs` puts both on the variant's page.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from bench.config import build
from bench.core.files import write_json
from bench.core.seeds import generator as stream
from bench.execution.run import execute
from bench.plotting.image_grid import make_grid
from bench.runs.folder import RunFolder
from bench.runs.outcome import faults, real_scores
from bench.training.job import prepare_job

PAGES = Path(__file__).parent / "variants"
SIDE = 8  # images in a row, and rows


def see(name: str, root: Path) -> dict[str, object]:
    """Train a variant, write its picture, and return what its page says."""
    overrides = [f"variant={name}", "preset=quick", f"runs_root={root}", "trainer.progress=false"]
    job = prepare_job(build.compose_config(overrides))
    outcome = execute(job)
    row = outcome.row
    assert row is not None, outcome.cause
    real = real_scores(root, row)
    sampler = build.build_sampler(RunFolder(root, job.folder.run_id))
    drawn = sampler.samples(SIDE * SIDE, stream(0, "score"), SIDE * SIDE)
    digits = torch.from_numpy(job.splits["test"].samples[: SIDE * SIDE]).float() / 255
    pictures = [np.asarray(make_grid(part, SIDE).convert("RGB")) for part in (drawn, digits)]
    gap = np.full((len(pictures[0]), 8, 3), 255, np.uint8)
    from PIL import Image

    (PAGES / "images").mkdir(exist_ok=True)
    both = np.concatenate([pictures[0], gap, pictures[1]], 1)
    Image.fromarray(both).save(PAGES / "images" / f"{name}.png")
    wrong = "".join(f" What went wrong: {clause}." for clause in faults(row, real))
    status = json.loads((job.folder.path / "status.json").read_text())
    numbers = {"score": row.scores["frechet"], "real": real["frechet"]}
    return {**numbers, "seconds": status["wall_seconds"], "words": wrong}


def main() -> None:
    """Train the variants that are named, and add them to the file."""
    torch.set_num_threads(1)
    path = PAGES / "seen.json"
    found = json.loads(path.read_text()) if path.is_file() else {}
    with tempfile.TemporaryDirectory() as root:
        for name in sys.argv[1:]:
            found[name] = see(name, Path(root))
            print(name, found[name], flush=True)
            write_json(path, dict(sorted(found.items())))


if __name__ == "__main__":
    main()
