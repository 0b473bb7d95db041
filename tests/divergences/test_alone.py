import subprocess
import sys

from support import ROOT


def test_needs_numpy_and_scipy_alone():
    """The room in a fresh interpreter: what else of weight it would bring is not there."""
    code = (
        "import sys\nfrom bench import divergences\n"
        "assert all(hasattr(divergences, name) for name in divergences.__all__)\n"
        "found = {'torch', 'sklearn', 'hydra', 'matplotlib'} & set(sys.modules)\n"
        "assert not found, found\n"
        "ours = {m for m in sys.modules if m.startswith('bench.')}\n"
        "assert all(m.startswith('bench.divergences') for m in ours), ours"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
