"""Pages that are made are what would be made; what the README names exists."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys

from support import ROOT

import bench.metrics


def test_variant_pages_are_up_to_date(monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / "docs")
    monkeypatch.setattr(sys, "argv", ["make_variants.py", "--check"])
    assert importlib.import_module("make_variants").main() == 0, capsys.readouterr().out


def test_links_of_the_documents_lead_somewhere():
    pages = [p for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if ".venv" not in p.parts]
    assert len(pages) > 12
    for page in pages:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page}: {link}"


def test_every_score_has_its_paragraph():
    text = (ROOT / "docs/scores.md").read_text()
    modules = (
        importlib.import_module(f"bench.metrics.{module.name}")
        for module in pkgutil.iter_modules(bench.metrics.__path__)
    )
    names = {name for module in modules for name in getattr(module, "DIRECTIONS", {})}
    assert len(names) > 20
    assert not [name for name in names if f"`{name}`" not in text]


def test_every_variant_of_the_readme_exists():
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"\w+", text.split("| variants | ")[1].split("(the study's)")[0]))
    assert named <= {p.stem for p in (ROOT / "conf/variant").glob("*.yaml")} and len(named) == 8


def test_project_files_are_ascii_and_name_no_machine():
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.yaml", "*.toml", "*.md", "Makefile", "*.txt"],
        cwd=ROOT, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    for name in (n for n in listed if not n.startswith("results/")):
        assert (ROOT / name).read_text().isascii(), name


def test_no_docstring_begins_with_a_dangling_word():
    """STYLE: an equation, or an imperative verb and its object, understood without neighbours."""
    dangling = re.compile(r"(Of|What|Who|Whose|Those|They|As|The same)\b")
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    begins = [
        f"{path.relative_to(ROOT)}: {first}"
        for path in sorted((ROOT / "bench").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, kinds) and (first := (ast.get_docstring(node) or "").partition("\n")[0])
    ]
    assert len(begins) > 2000
    assert not [line for line in begins if dangling.match(line.partition(": ")[2])]
