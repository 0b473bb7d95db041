"""Pages that are made are what would be made; what pages name exists; the site builds."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys

import pytest
from support import ROOT

import bench.metrics


def test_variant_pages_are_up_to_date(monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / "docs")
    monkeypatch.setattr(sys, "argv", ["make_variants.py", "--check"])
    assert importlib.import_module("make_variants").main() == 0, capsys.readouterr().out


def test_links_of_the_documents_lead_somewhere():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    made = [ROOT / line.strip("/") for line in ignored if line.startswith("/docs/")]  # by the site
    everything = (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    pages = [p for p in everything if not any(folder in p.parents for folder in made)]
    assert len(pages) > 12
    for page in pages:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            target = page.parent / link
            assert target.exists() or any(f in target.parents for f in made), f"{page}: {link}"


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-d", tmp_path / "doctrees"]
    done = subprocess.run(
        [*command, ROOT / "docs", tmp_path / "site"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    site = {path.relative_to(tmp_path / "site").as_posix() for path in tmp_path.rglob("*.html")}
    assert {"index.html", "course/1.html", "api/losses.html", "variants/wgan_gp.html"} <= site
    course = "".join(p.read_text() for p in (tmp_path / "site/course").glob("*.html"))
    assert all(f'<section id="t{n}"' in course for n in range(1, 26))
    page = (tmp_path / "site/api/losses.html").read_text()
    assert 'id="bench.losses.hinge.discriminator_loss"' in page and "E[max(0, 1 - f(x))]" in page
    for name in site:  # no link of a page leads nowhere
        page = tmp_path / "site" / name
        links = re.findall(r'href="(?!\w+:|#|")([^"#?]+)', page.read_text())
        assert not name.startswith("results/") or name.endswith("index.html")
        lost = [link for link in links if not (page.parent / link).exists()]
        assert name.startswith("results/") or not lost, f"{name}: {lost}"


def test_every_score_has_its_paragraph():
    text = (ROOT / "docs/scores.md").read_text()
    modules = (
        importlib.import_module(f"bench.metrics.{module.name}")
        for module in pkgutil.iter_modules(bench.metrics.__path__)
    )
    names = {name for module in modules for name in getattr(module, "DIRECTIONS", {})}
    assert len(names) > 20
    assert not [name for name in names if f"`{name}`" not in text]


def test_first_steps_name_every_variant_and_data_set():
    text = (ROOT / "docs/first_steps.md").read_text()
    for group in ("variant", "dataset"):
        title = {"variant": "variants", "dataset": "data sets"}[group]
        (line,) = re.findall(rf"(?m)^\| {title} \|(.*)$", text)
        named = {word for code in re.findall(r"`([^`]+)`", line) for word in code.split()}
        there = {p.stem for p in (ROOT / "conf" / group).glob("*.yaml")}
        assert named <= there and {n for n in there - named if "full_rotation" not in n} == set()


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
