"""torchvision beside a CPU-only torch, with stand-ins for the installed package."""

import subprocess
import sys

import pytest

MISMATCHED = """
import torch
@torch.library.register_fake("torchvision::nms")
def meta_nms(dets, scores, iou_threshold):
    return dets
"""
BROKEN = "raise RuntimeError('another reason')"
MATCHED = "answer = 1"
CODE = """
from bench.core.shims import ensure_torchvision
print(ensure_torchvision())
import torchvision
print(ensure_torchvision())
"""


def outcome(tmp_path, body: str) -> subprocess.CompletedProcess:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(body)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{CODE}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [(MISMATCHED, ["shimmed", "shimmed"]), (MATCHED, ["native", "native"])],
)
def test_the_operators_are_declared_only_where_they_are_missing(tmp_path, body, words):
    done = outcome(tmp_path, body)
    assert done.stdout.split() == words, done.stderr


def test_another_failure_is_not_hidden(tmp_path):
    done = outcome(tmp_path, BROKEN)
    assert done.returncode == 1 and "another reason" in done.stderr


def test_without_torchvision_there_is_nothing_to_do():
    code = (
        "import importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'torchvision' else real(n, *a)\n"
        "from bench.core.shims import ensure_torchvision; print(ensure_torchvision())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "absent", done.stderr
