"""LaTeX tables for a paper."""

import re
import shutil
import subprocess
from dataclasses import replace

import made
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import normal, search, seeds

from bench.reporting.claims import assess_claims
from bench.reporting.output.latex import build_latex_files, escape_latex
from bench.reporting.tables.published import EXTRACTOR, published_scores

FID = {"extractor": EXTRACTOR, "n_fake": 10_000, "name": "study_10k_test"}


def files(*stages):
    comparisons = made.comparisons(*stages)
    return build_latex_files(comparisons, assess_claims(comparisons))


def body(text):
    """Cells of the rows between the rules."""
    rows = re.findall(r"^(.*) \\\\$", text, re.MULTILINE)
    return [re.split(r" (?<!\\)& ", row) for row in rows]


@pytest.fixture
def paper():
    """The published means and spreads as scores, on two data sets, after a search."""
    cells = [c for c in published_scores() if c.dataset in ("mnist", "celeba")]
    runs = [
        run
        for cell in cells
        for run in seeds(
            {cell.variant: normal(cell.mean, cell.sd, 10)}, dataset=cell.dataset, protocol=FID
        )
    ]
    space = search({"wgan": [9, None], "vae": [8, 7]}, dataset="mnist", protocol=FID)
    return files(space, runs)


def test_every_row_has_as_many_cells_as_the_table_has_columns(paper):
    assert {"claims.tex", "scores-study_10k_test-inception_2015-final.tex"} <= paper.keys()
    for name, text in paper.items():
        columns = re.search(r"\\begin\{tabular\}\{(.*)\}", text)[1]
        wanted = len(re.sub(r"\{[^}]*\}", "", columns))
        assert {len(row) for row in body(text)} == {wanted}, name


def test_our_mean_stands_beside_the_published_one(paper):
    head, *lines = body(paper["scores-study_10k_test-inception_2015-final.tex"])
    assert head == ["variant", "celeba", "published FID", "mnist", "published FID"]
    found = {line[0]: line[1:] for line in lines}
    assert found[r"wgan\_gp"] == [r"30.0 $\pm$ 1.0", r"30.0 $\pm$ 1.0"] + [
        r"20.30 $\pm$ 5.00", r"20.3 $\pm$ 5.0",
    ]  # fmt: skip
    assert found["vae"][1] == r"85.7 $\pm$ 3.8$^\dagger$"  # from memory: marked


def test_a_data_set_that_the_study_has_not_has_no_published_column():
    text = files(seeds({"wgan": [1.0, 2.0]}))["scores-quick-digits_convnet-final.tex"]
    assert body(text)[0] == ["variant", "digits"]


@given(st.text(alphabet="&%$#_{}~^\\ab 1", max_size=20))
def test_no_part_of_a_name_becomes_a_command(name):
    left = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum)\{\}|\\[&%$#_{}]", "", escape_latex(name)
    )
    assert not set(left) & set("&%$#_{}~^\\")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_takes_them(paper, tmp_path):
    inputs = "".join(paper.values())
    document = r"\documentclass{article}\usepackage{booktabs}\begin{document}" + inputs
    (tmp_path / "all.tex").write_text(document + r"\end{document}")
    command = ["pdflatex", "-halt-on-error", "-interaction=batchmode", "all.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


def test_two_protocols_of_a_data_set_have_column_titles_of_their_own():
    """Both are called quick; only the number of samples tells them apart."""
    scores = {"wgan": [1.0, 2.0], "vae": [3.0, 4.0]}
    more = seeds(scores, protocol={"n_fake": 500, "extractor": "a/b"})
    more = [replace(run, run_id=f"{run.run_id}-500") for run in more]
    found = files([*seeds(scores, protocol={"extractor": "a/b"}), *more])
    (name,) = (name for name in found if name.startswith("scores-"))
    assert name == "scores-quick-a_b-final.tex"
    heads = found[name].split("\\toprule\n")[1].split("\n")[0].removesuffix(" \\\\").split(" & ")
    assert len(heads) == len(set(heads)) == 3
