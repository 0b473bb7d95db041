import re
from pathlib import Path

import bench.commands.doctor as doctor

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_doctor_names_extras_that_exist(monkeypatch):
    """pyarrow, a dependency, is none of them."""
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda module: None)
    named = re.findall(r"created-equal\[(\w+)\]", "\n".join(doctor.describe_machine()))
    for extra in named:
        assert re.search(rf"^{extra} = \[", PYPROJECT.read_text(), re.MULTILINE), extra
    assert {"inception", "wandb"} <= set(named)
