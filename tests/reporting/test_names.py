"""A name cannot break a report: names of any length, script and sign, shown whole or cut."""

import csv
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import made
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from bench.core.errors import UserError
from bench.core.text import (
    columns,
    distinct_file_names,
    file_name,
    is_file_name,
    printable,
    shorten,
    shorten_names,
)
from bench.plotting.style import figure, render, wrap_name
from bench.reporting import load
from bench.reporting.archive.row_table import escape_formula, format_csv, unescape_formula
from bench.reporting.data.records import StageRecord
from bench.reporting.output.latex import escape_latex
from bench.reporting.output.terminal_table import print_report
from bench.reporting.report import collect_stages, write_report
from bench.reporting.text.markdown import code_span, escape_label, escape_markdown
from bench.reporting.wandb.publish import build_leaderboards

GRID = "wgan_gp (learning_rate=0.0001, beta1=0.5, beta2=0.999, n_dis={}, penalty_weight=10.0)"
NAMES = [
    "wgan",
    *map(GRID.format, (1, 5)),  # what an ordinary sweep of five keys makes
    *("x" * 300, "x" * 150 + "y" + "x" * 149, "\u6df7\u5408\u751f\u6210\u5668" * 16),
    "\u0645\u0631\u062d \U0001f600\u200d\U0001f469 \u202edesrever " + "e\u0301" * 30,
    "\ud800lone\n# heading\ttab\x1b[2J\x07\0",
    "../../x|b `c` <script>alert(1)</script> $x$ _y_ ~~s~~ %z \\w [a](javascript:b)",
    *("[bold]b[/x]", "=1+1", "@SUM(A1)", "-2+3", "\tt", "'=quoted'", " ", "---"),
]
TEXTS = st.text(
    st.characters() | st.sampled_from("\\`*_{}[]()<>#+-.!|~$&%^@=:'\" \n\t\r\0\x1b\ud800\u4e2d"),
    max_size=30,
)


def stage(name, runs, **fields):
    return StageRecord(
        "s | <u>", "python -m bench.train\n# not this", name, tuple(runs), (), claims=True, **fields
    )


def scored(run, place, seed, **fields):
    run_id = f"{fields.get('sample', 0):x}-{place:x}-{seed:x}"
    measures = made.measures_of({"frechet": "lower", "a|b\n<i>": "higher", "../../up": "higher"})
    scores = {"frechet": 1.0 + place + 0.1 * seed, "a|b\n<i>": 0.5, "../../up": 0.1 * seed}
    settings = {"lr": 10.0**-seed, "deep\n" * 20: f"=v{seed % 2}" * 30}
    row = replace(
        run.rows[0], run_id=run_id, measures=measures, scores=scores, hyperparameters=settings
    )
    curve = np.array([0.0, 10.0]), np.array([1.0, 2.0])
    return replace(run, run_id=run_id, rows=(row,), history={"d_loss": curve, "frechet": curve})


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A search and seeds of what it chose, under all names at once."""
    dataset = "d/../<img src=x>\x1b[2J" * 20
    search = [
        scored(made.run(name, 1.0, sample=k, dataset=dataset), place, k, sample=8 + k)
        for place, name in enumerate(NAMES[4:7])
        for k in range(4)
    ]
    seeds = [
        scored(made.run(name, 1.0, seed=2**63 + k, dataset=dataset), place, k)
        for place, name in enumerate(NAMES)
        for k in range(2)
    ]
    folder = tmp_path_factory.mktemp("names") / "report"
    return write_report([stage("wide", search), stage("seeds\n- x", seeds, rule="b\nc")], folder)


def test_nothing_is_written_elsewhere_and_no_file_is_hidden(report):
    outside = [p for p in report.folder.parent.rglob("*") if report.folder not in (p, *p.parents)]
    names = [p.name for p in report.folder.rglob("*")]
    assert not outside and all(is_file_name(name) and name[0] not in ".-" for name in names)


def test_a_figure_named_after_a_score_stays_in_its_folder():
    with figure(1, 1) as fig:
        assert render(fig, "digits-../../up", "", inline_only=True).name == "digits-.._.._up"


def test_figures_show_every_name_whole_or_cut(report):
    for path in (report.folder / "figures").glob("*.svg"):
        text = "".join(ElementTree.parse(path).getroot().itertext())
        assert printable(text.replace("\n", "")) == text.replace("\n", "")
        if path.stem.endswith("-frechet") and path.stem.startswith("seeds"):
            shown = re.sub(r"\s", "", text)
            wanted = shorten_names(NAMES, 118).values()
            assert all(re.sub(r"\s", "", wrap_name(name)) in shown for name in wanted)


def test_markdown_has_no_markup_but_its_own(report):
    text = (report.folder / "report.md").read_text()
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    html = [
        t.content.strip() for t in [*tokens, *inline] if t.type in ("html_block", "html_inline")
    ]
    own = re.compile(r"(</?(details|summary)>|[\w ',:]+)+|</?code>")
    assert all(own.fullmatch(tag) for tag in html), html
    links = [t.attrs["href"] for t in inline if t.type == "link_open"]
    images = [t.attrs["src"] for t in inline if t.type == "image"]
    assert all(re.match(r"rows\.csv$|tables/[\w.-]+\.csv$", link) for link in links)
    assert images and all(re.fullmatch(r"figures/[\w.-]+\.(svg|png)", image) for image in images)
    assert all((report.folder / path).is_file() for path in (*links, *images))
    assert [t.tag for t in tokens if t.type == "heading_open"].count("h2") == 2 + 4  # of its own
    assert "s" not in {t.tag for t in inline}  # nothing is struck through


def test_every_row_of_a_markdown_table_has_the_cells_of_its_head(report):
    text = (report.folder / "report.md").read_text()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = re.findall(r"^\|.*$", text, re.MULTILINE)
    assert sum(t.type == "tr_open" for t in tokens) == len(rows) - sum(
        r[:4] == "|---" for r in rows
    )
    names = [
        "".join(c.content for c in token.children)
        for before, token in zip(tokens, tokens[1:], strict=False)
        if before.type == "td_open"
    ]
    assert {printable(name).strip() for name in NAMES} <= {re.sub(" \u2020$", "", n) for n in names}


def test_a_spreadsheet_computes_no_cell(report):
    for path in [report.folder / "rows.csv", *(report.folder / "tables").glob("*.csv")]:
        with open(path, encoding="utf-8", newline="") as lines:
            head, *rows = csv.reader(lines)
        assert all(len(row) == len(head) for row in rows)
        for cell in (cell for row in (head, *rows) for cell in row):
            assert not re.match(r"[=+@\t\r\n-]", cell) or np.isfinite(float(cell))
        found = {unescape_formula(row[head.index("variant")]) for row in rows}
        assert found & {"=1+1", "'=quoted'", "-2+3"} in (set(), {"=1+1", "'=quoted'", "-2+3"})


def test_the_page_runs_nothing_of_a_name(report):
    page = report.page.read_text()
    assert not re.search(r"<script>alert|<img src=x|<u>|\x1b|\u202e", page)
    assert page.count("<script") == 4  # one that says that scripts run, data, library, our own


def test_rows_and_seeds_are_read_back(report):
    study = load(report.folder)
    assert {row.seed for row in study.rows if row.seed} >= {2**63, 2**63 + 1}
    assert '"seed":"9223372036854775809"' in report.page.read_text()  # no float of JavaScript
    names = {run.variant for stage in study.stages for run in stage.runs}
    assert names == set(NAMES)


def test_the_terminal_gets_no_escape_sequence_and_no_markup(report):
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=120))
    text = stream.getvalue()
    assert printable(text.replace("\n", "")) == text.replace("\n", "")
    assert "[bold]b[/x]" in text
    cut = sum(line.startswith("xxxx") for line in text.splitlines())
    assert cut <= 3 * 3  # three long names of x, each of 80 columns in lines of some 40


def test_the_w_and_b_report_takes_them(report):
    for _, board in build_leaderboards(report_comparisons(report)):
        assert len(board.rows) == len(NAMES)


def report_comparisons(report):
    return [section.comparison for section in report.sections]


def test_a_plan_whose_run_lies_elsewhere_is_refused(written):
    written.run("wgan", 0, 1.0)
    path = written.root / "plans" / "s" / "all.json"
    path.write_text(path.read_text().replace('"missing1"', '"../../x"'))
    with pytest.raises(UserError, match=r"has a run '../../x', which is no name of a folder"):
        collect_stages(written.root, "s")


@given(TEXTS)
@example("\\|`")
@example("](")
@example("# -")
@example("1. a")
@example("www.a.b https://a.b")
def test_markdown_shows_a_text_as_it_is(text):
    """In a sentence, a list, a heading and the text of a link, but for spaces at its ends."""
    wanted = printable(text).strip(" ")
    for line in ("{}", "- {}", "# {}", "x\n\n{}", "*{}*x", "[{}](y)"):
        escaped = escape_label(text) if "](y)" in line else escape_markdown(text)
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(line.format(escaped))
        (*_, inline) = [token for token in tokens if token.type == "inline"] or [None]
        shown = "".join(child.content for child in inline.children) if inline else ""
        if wanted and line != "*{}*x":
            assert shown.strip(" ") == wanted
        kinds = {child.type for child in inline.children} if inline else set()
        assert kinds <= {"text", "text_special", "em_open", "em_close", "link_open", "link_close"}
        assert not {t.type for t in tokens} & {
            "fence",
            "code_block",
            "html_block",
            "hr",
            "table_open",
        }


@given(TEXTS)
@example("a|b\\|`c`")
def test_markdown_shows_code_as_it_is(text):
    table = f"| a | b |\n|---|---|\n| {code_span(text)} | z |"
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(table)
    code, last = [token for token in tokens if token.type == "inline"][2:]
    shown = "".join(c.content for c in code.children if c.type != "html_inline")
    assert shown.strip() == printable(text).strip() and last.content == "z"


@given(TEXTS)
@example("=1")
@example("-1e5")
@example("''@")
def test_a_cell_of_csv_is_no_formula_and_can_be_read_back(text):
    table = format_csv(["a", "b"], [{"a": text, "b": "x"}])
    head, row = csv.reader(io.StringIO(table, newline=""))
    assert head == ["a", "b"] and [unescape_formula(row[0]), row[1]] == [text, "x"]
    cell = escape_formula(text)
    assert unescape_formula(cell) == text
    assert not re.match(r"[=+@\t\r\n-]", cell) or isinstance(float(cell), float)


@given(st.floats() | st.integers())
def test_a_number_in_csv_is_left_alone(number):
    assert escape_formula(repr(number)) == repr(number)


@given(TEXTS)
def test_no_part_of_a_text_is_a_command_for_latex(text):
    """Without our own commands only letters are left that pdflatex prints as they are."""
    escaped = escape_latex(text)
    left = re.sub(r"\\(text[a-z]+|pm|dagger)\b(\{\})?|\\[&%$#_{}]|\{\}|^\{[\[*]\}", "", escaped)
    left = re.sub(r"\$(\^)?\$", "", left)  # around the sign of plus and minus, and the dagger
    assert not set(left) & set("&%$#_{}~^\\<>|") and "--" not in escaped.replace("\u2013", "")
    assert all(c < "\u0180" for c in left) and escaped[:1] not in ("[", "*")


@given(TEXTS, st.integers(12, 40))
def test_a_file_name_is_short_and_plain(text, limit):
    name = file_name(text, limit)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name) and len(name) <= limit
    assert is_file_name(name) and file_name(name, limit) == name


@given(st.sets(TEXTS, max_size=6))
def test_names_that_differ_differ_in_files_and_when_they_are_cut(texts):
    assert len(set(distinct_file_names(texts).values())) == len(texts)
    shown = shorten_names(sorted(texts, key=repr), 12)
    assert len(set(shown.values())) == len(texts)
    assert all(columns(name) <= 12 and printable(name) == name for name in shown.values())


@given(st.text(st.characters(exclude_characters="."), max_size=60), st.integers(3, 40))
def test_a_cut_text_fits_and_keeps_both_ends(text, limit):
    cut = shorten(text, limit)
    assert columns(cut) <= limit and (cut == text) == (columns(text) <= limit)
    head, dots, tail = cut.partition("...")
    assert (dots == "...") == (cut != text) and text.startswith(head) and text.endswith(tail)


def test_a_cut_says_what_it_leaves_out():
    assert shorten("abcdefghij", 9) == "abcd...ij"  # six columns for letters, a third at the end
    assert shorten_names(["abcdefghij", "abcdXXghij"], 9) == {
        "abcdefghij": "abcd...ij",
        "abcdXXghij": "ab...j #2",
    }
