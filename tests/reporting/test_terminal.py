"""The report in a terminal, as `make demo` ends."""

import io

import pytest
from made import comparisons, search
from rich.console import Console

from bench.reporting.output import terminal_table
from bench.reporting.output.terminal_table import print_report
from bench.reporting.report import collect_stages, write_report


def printed(report, **settings):
    stream = io.StringIO()
    print_report(report, Console(file=stream, **settings))
    return stream.getvalue()


def test_a_pipe_gets_plain_text_of_eighty_columns(mixed, tmp_path, monkeypatch):
    for variable in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    report = write_report(collect_stages(mixed.root, "s"), tmp_path / "out")
    text = printed(report)
    lines = text.splitlines()
    assert "\x1b" not in text
    assert max(map(len, lines[:-1])) <= 80
    assert lines[-1] == str(report.page)
    names = [line.split()[0] for line in lines if line[:4] in ("wgan", "ns_g", "mine", "real")]
    assert names == ["wgan*", "ns_gan*", "mine", "real"]
    wgan = next(line for line in lines if line.startswith("wgan"))
    assert wgan.split() == ["wgan*", "2/3", "3.00", "+/-", "1.41", "0.500"]
    assert "Too few seeds to rank" in text
    assert "8 planned runs: 4 finished, 2 diverged, 1 failed, 1 missing." in text


def test_a_path_is_never_broken_and_an_old_terminal_can_print_it_all(mixed, tmp_path):
    report = write_report(collect_stages(mixed.root, "s"), tmp_path / ("deep" * 30))
    text = printed(report, width=80)
    assert text.splitlines()[-1] == str(report.page)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_report(report, Console(file=stream, width=80))
    stream.flush()
    assert b"3.00 +/- 1.41" in stream.buffer.getvalue()


def test_letters_stand_where_seeds_suffice(written, tmp_path):
    for seed in range(4):
        written.run("a", seed, 1 + seed)
        written.run("b", seed, 101 + seed)
    text = printed(write_report(collect_stages(written.root, "s"), tmp_path), width=80)
    assert "a comes first by mean and differs significantly from every other." in text
    assert "Too few seeds" not in text
    assert [line.split()[:2] for line in text.splitlines() if line[:2] in ("a ", "b ")][:2] == [
        ["a", "a"],
        ["b", "b"],
    ]


@pytest.mark.parametrize("chosen, split", [({"split": "validation"}, "validation"), (None, "test")])
def test_a_search_names_the_split_that_it_chooses_on(chosen, split):
    table = comparisons(search({"a": [1.0, 2.0]}, protocol={"chosen": chosen}))[0].main
    stream = io.StringIO()
    terminal_table._print_search(table, Console(file=stream, width=120))
    assert f"chosen on the {split} split." in stream.getvalue()
