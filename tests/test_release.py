"""A release is built only where version, changelog, citation and tag agree."""

import runpy

import pytest
from support import ROOT

find_obstacles = runpy.run_path(str(ROOT / ".ci/release.py"))["find_obstacles"]


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench/__init__.py").write_text('__version__ = "0.2.0"\n')
    (tmp_path / "CITATION.cff").write_text("version: 0.2.0\ndate-released: 2026-12-01\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0 (2026-12-01)\n\n## 0.1.0\n")
    return tmp_path


def test_what_fits_together_is_released(repository):
    assert find_obstacles("0.2.0", repository, ["v0.2.0"], []) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bench/__init__.py", '__version__ = "0.1.0"', "bench/__init__.py: __version__ is '0.1.0'"),
        ("CITATION.cff", "version: 0.1.0\ndate-released: 2026-12-01", "version is '0.1.0', not"),
        ("CHANGELOG.md", "## 0.2.0 (unreleased)", "is '0.2.0 (unreleased)', not '0.2.0 (2026-12"),
        ("CHANGELOG.md", "## 0.2.0 (2026-11-01)", "not '0.2.0 (2026-12-01)'"),
    ],
)
def test_one_file_of_another_version_is_named(repository, name, text, said):
    (repository / name).write_text(text + "\n")
    (obstacle,) = find_obstacles("0.2.0", repository, ["v0.2.0"], [])
    assert said in obstacle


def test_a_commit_without_the_tag_or_with_changes_is_refused(repository):
    found = find_obstacles("0.2.0", repository, ["v0.1.0"], ["bench/x.py"])
    assert [line[:14] for line in found] == ["this commit ha", "uncommitted ch"]
