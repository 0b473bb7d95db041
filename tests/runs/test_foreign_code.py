"""Code outside the package: found without importing it; every edit of it is another hash."""

import hashlib
import subprocess
import sys
import textwrap
from importlib.machinery import EXTENSION_SUFFIXES

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import UserError
from bench.runs.foreign_code import _distributions, foreign_code, targets_in


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Return a folder on the import path, and a check that nothing in it was imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    new = [sys.modules[name] for name in set(sys.modules) - before]
    assert not [m for m in new if str(tmp_path) in str(getattr(m, "__file__", ""))]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def test_a_flat_file_brings_the_neighbours_that_it_imports(mine):
    write(
        mine,
        {
            "fc_loss.py": "import os\nimport torch\nimport fc_helper\n",
            "fc_helper.py": "def f():\n    from fc_late import g\n",
            "fc_late.py": "raise RuntimeError('imported')\n",
            "fc_other.py": "",
        },
    )
    found = foreign_code({"loss": {"_target_": "fc_loss.discriminator_loss", "_partial_": True}})
    names = ["fc_helper.py", "fc_late.py", "fc_loss.py"]
    assert found == {name: digest(mine / name) for name in names}


def test_packages_with_relative_and_re_exported_names_and_namespaces(mine):
    write(
        mine,
        {
            "fc_pkg/__init__.py": "from .impl import Loss\n",
            "fc_pkg/impl.py": "from . import sub\nfrom .sub.deep import x\nfrom .. import no\n",
            "fc_pkg/sub/__init__.py": "",
            "fc_pkg/sub/deep.py": "from ..side import y\n",
            "fc_pkg/side.py": "y = 1\n",
            "fc_pkg/unused.py": "",
            "fc_space/part.py": "import fc_pkg.side\n",
        },
    )
    inside = ["__init__.py", "impl.py", "side.py", "sub/__init__.py", "sub/deep.py"]
    assert list(foreign_code([{"_target_": "fc_pkg.Loss"}])) == [f"fc_pkg/{n}" for n in inside]
    assert "fc_space/part.py" in foreign_code({"_target_": "fc_space.part.f"})
    assert "fc_pkg/side.py" in foreign_code({"_target_": "fc_space.part.f"})


def test_an_edit_of_the_file_or_of_its_helper_is_another_hash(mine):
    write(mine, {"fc_a.py": "import fc_b\n", "fc_b.py": "scale = 1\n"})
    config = {"_target_": "fc_a.loss"}
    first = foreign_code(config)
    (mine / "fc_b.py").write_text("scale = 2.0\n")
    second = foreign_code(config)
    assert first["fc_a.py"] == second["fc_a.py"] and first["fc_b.py"] != second["fc_b.py"]


@pytest.mark.parametrize(
    "target",
    ["bench.losses.hinge.discriminator_loss", "torch.optim.Adam", "sklearn.svm.SVC", "math.sqrt",
     "PIL.Image.open", "no_such_package.at.all"],
)  # fmt: skip
def test_the_suite_its_requirements_and_what_does_not_exist_have_none(target):
    assert foreign_code({"_target_": target}) == {}


def test_an_editable_install_is_followed_through_its_finder(tmp_path):
    """Run in a process of its own: a finder on sys.meta_path leads to the folder."""
    write(
        tmp_path,
        {"src/fc_edit/__init__.py": "from fc_edit import rest\n", "src/fc_edit/rest.py": ""},
    )
    code = f"""
    import sys
    from importlib.machinery import PathFinder

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "fc_edit":
                return PathFinder.find_spec(name, [{str(tmp_path / "src")!r}])

    sys.meta_path.append(Finder)
    from bench.runs.foreign_code import foreign_code
    print(*foreign_code({{"_target_": "fc_edit.loss"}}))
    assert "fc_edit" not in sys.modules
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["fc_edit/__init__.py", "fc_edit/rest.py"]


def test_a_compiled_extension_stands_by_its_distribution_or_its_bytes(mine):
    (mine / f"fc_ext{EXTENSION_SUFFIXES[0]}").write_bytes(b"machine code")
    expected = hashlib.sha256(b"machine code").hexdigest()[:32]
    assert foreign_code({"_target_": "fc_ext.loss"}) == {"fc_ext (compiled)": expected}
    write(
        mine,
        {
            "fc_dist-1.2.dist-info/METADATA": "Name: fc-dist\nVersion: 1.2\n",
            "fc_dist-1.2.dist-info/top_level.txt": "fc_ext\n",
        },
    )
    _distributions.cache_clear()
    assert foreign_code({"_target_": "fc_ext.loss"}) == {"fc_ext (compiled)": "fc-dist 1.2"}
    _distributions.cache_clear()


def test_a_target_of_the_running_script_is_refused():
    with pytest.raises(UserError, match="'__main__.loss' lies in the script that is running"):
        foreign_code({"_target_": "__main__.loss"})


def test_a_file_that_is_no_python_is_one_sentence(mine):
    write(mine, {"fc_broken.py": "def f(:\n"})
    with pytest.raises(UserError, match=r"fc_broken.py cannot be read as Python"):
        foreign_code({"_target_": "fc_broken.f"})


names = st.text("abc", min_size=1, max_size=3)
leaves = st.one_of(st.integers(), st.none(), names)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(trees, trees)
def test_every_target_is_found_at_any_depth(one, other):
    config = {"x": [one, {"_target_": "p.q", "y": {"_target_": "r.s"}}], "z": other}
    assert list(targets_in(config)) == ["p.q", "r.s"]
