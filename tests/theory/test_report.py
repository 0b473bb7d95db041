import re
from dataclasses import replace

import pytest

from bench.core.errors import UserError
from bench.plotting.style import pdf_files
from bench.theory import catalogue, runner
from bench.theory.report import numbers_csv, read_report, report_files, write_report
from bench.theory.terminal_list import show_claims, show_list


@pytest.fixture
def outcome(experiment, tmp_path):
    return runner.run("T98", runs_root=tmp_path / "runs")


def test_the_report_is_made_again_from_its_results_to_the_same_bytes(outcome, tmp_path):
    write_report([outcome], tmp_path / "a")
    write_report(read_report(tmp_path / "a"), tmp_path / "b")
    first = {p.relative_to(tmp_path / "a"): p for p in (tmp_path / "a").rglob("*") if p.is_file()}
    assert len(first) == 8
    for name, path in first.items():
        assert path.read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_pdfs_are_drawn_when_asked_for(outcome, experiment):
    with pdf_files(wanted=True):
        again = runner.conclude_and_draw(experiment, outcome.results, {}, quick=False)
    more = report_files([again]).keys() - report_files([outcome]).keys()
    assert more == {"figures/T98-line.pdf"}


def test_numbers_in_full(outcome):
    lines = numbers_csv([outcome]).decode().splitlines()
    assert lines[0] == "statement,number,value,low,high,known"
    assert re.fullmatch(r'T98,"?value, <mean>\|"?,1\.5,0\.\d+,2\.\d+,a half & more', lines[1])


def test_the_page_has_verdict_figure_rule_and_asks_for_nothing(outcome):
    page = report_files([outcome])["index.html"].decode()
    assert "1 statement about GANs, from slides and a blog post: 1 reproduced." in page
    assert "value, &lt;mean&gt;|" in page and "<svg" in page and "Reproduced: above 1." in page
    assert not re.search(r'(src|href)="(?!data:|#)(?!numbers\.csv|report\.md)', page)
    assert "data:image/gif;base64,R0lGODlh" in page


def test_an_earlier_report_leaves_nothing_behind(outcome, tmp_path):
    write_report([outcome], tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    sums = tmp_path / "SHA256SUMS"
    (tmp_path / "figures" / "T1-old.svg").write_text("old")
    sums.write_text(sums.read_text() + f"{'0' * 64}  figures/T1-old.svg\n")
    write_report([outcome], tmp_path)
    assert not (tmp_path / "figures" / "T1-old.svg").exists() and (tmp_path / "mine.txt").exists()


def test_results_of_other_parts_are_refused(outcome, experiment, tmp_path, monkeypatch):
    write_report([outcome], tmp_path)
    fewer = {"seed 0": {"seed": 0}}
    other = replace(experiment, parts=lambda quick: fewer)
    monkeypatch.setattr(catalogue, "experiments_by_id", lambda: {"T98": other})
    with pytest.raises(UserError, match="does not hold the parts of T98"):
        read_report(tmp_path)


def test_results_of_version_1_are_refused_with_the_commit_that_reads_them(outcome, tmp_path):
    for part in outcome.provenance.values():
        del part["environment"]["semantics_version"]
    write_report([outcome], tmp_path)
    with pytest.raises(UserError, match="version 1 of the suite(.|\n)*19cc27b82f74 is the last"):
        read_report(tmp_path)


def test_a_folder_without_results_is_refused(experiment, tmp_path):
    with pytest.raises(UserError, match="holds no results of statements"):
        read_report(tmp_path)


def test_the_terminal_tells_verdict_and_page(experiment, tmp_path, capsys):
    options = {"quick": True, "runs_root": tmp_path, "to": None, "written": None, "processes": 1}
    show_claims([], **options)
    shown = capsys.readouterr().out
    assert "not reproduced" in shown and "seed 1" in shown
    assert shown.split()[-1] == str(tmp_path / "reports" / "claims-quick" / "index.html")
    show_claims([], **options)
    assert "2 of 2 parts were measured before" in capsys.readouterr().out


def test_the_list_adds_up(experiment, capsys):
    show_list([experiment, experiment])
    assert "6 in full, 0.4 with --quick" in capsys.readouterr().out


@pytest.mark.parametrize("bad", [{"processes": 0}, {"written": "x", "quick": True}])
def test_options_that_do_not_go_together_are_refused(experiment, tmp_path, bad):
    options = {"quick": False, "runs_root": tmp_path, "to": None, "written": None, "processes": 1}
    with pytest.raises(UserError):
        show_claims([], **options | bad)
