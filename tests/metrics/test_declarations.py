"""Each module of bench.metrics declares its scores' direction, unit, title and table position."""

import importlib
import pkgutil
import subprocess
import sys

import bench.metrics
from bench.metrics.declarations import CONSTANTS, read_declarations

# In the order and under the titles of published tables: a change here changes every page.
SHOWN = {
    "frechet": "Frechet distance",
    "class_accuracy": "class accuracy",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "density": "density",
    "memorised": "memorised share",
    "inception_score": "Inception Score formula",
    "kernel": "kernel distance",
    "kernel_blocks": "kernel distance, mean of blocks",
    "prd_f8": "PRD F8",
    "prd_f1_8": "PRD F1/8",
    "frechet_infinity": "Frechet distance, N to infinity",
    "ssim": "SSIM of pairs",
    "ms_ssim": "MS-SSIM of pairs",
    "classes_covered": "classes covered",
    "class_reverse_kl": "class reverse KL",
    "modes_covered": "modes covered",
    "high_quality": "high quality",
    "wasserstein_1": "Wasserstein-1",
    "wasserstein_2": "Wasserstein-2",
    "mmd": "MMD",
    "polygon_f1": "polygon F1",
    "polygon_precision": "polygon precision",
    "inception_score_splits": "Inception Score formula, mean of splits",
    "polygon_recall": "polygon recall",
}


def test_every_score_declares_direction_unit_title_and_position_once():
    declarations = read_declarations()
    scores = set(declarations["DIRECTIONS"])
    assert set(declarations["TARGETS"]) == {"ssim", "ms_ssim"} <= scores
    assert all(set(declarations[name]) == scores for name in declarations if name != "TARGETS")
    assert set(declarations["DIRECTIONS"].values()) == {"lower", "higher"}
    positions = declarations["POSITIONS"].values()
    assert len(set(positions)) == len(positions)
    assert all(type(position) is int for position in positions)


def test_declarations_are_the_constants_of_the_modules():
    modules = [
        importlib.import_module(f"bench.metrics.{module.name}")
        for module in pkgutil.iter_modules(bench.metrics.__path__)
    ]
    for constant in CONSTANTS:
        declared = [item for m in modules for item in getattr(m, constant, {}).items()]
        assert dict(declared) == read_declarations()[constant]
        assert len(declared) == len(dict(declared))  # no score is declared by two modules


def test_order_and_titles_of_the_scores_shown_today():
    positions, titles = (read_declarations()[c] for c in ("POSITIONS", "TITLES"))
    ordered = sorted(positions, key=positions.__getitem__)
    assert [(name, titles[name]) for name in ordered if name in SHOWN] == list(SHOWN.items())


def test_declarations_are_read_without_numpy():
    code = (
        "import sys; from bench.metrics.declarations import read_declarations as read; read(); "
        "sys.exit(bool({'numpy', 'scipy', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
