"""Read every number of a W&B Report back from what would be sent."""

import html
import json
import re
import socket
import sys
from dataclasses import replace

import pytest
from services.wandb_server import wandb_server

from bench.core.errors import UserError
from bench.reporting.wandb.leaderboard_report import (
    Leaderboard,
    format_budget_table,
    format_leaderboard,
    leaderboard_table,
    publish_leaderboard,
    render_preview,
)

ROWS = (
    ("wgan_gp, defaults", "20", "12.34", "0.56", "11.98 to 12.71", "a"),
    ("ns_gan | wide", "19", "1,234.5", "78", "1,190.1 to 1,301.0", "ab"),
    ("began", "1", "0.0012", "", "", ""),
)
REAL = (("real (train vs test)", "1.09"),)
BUDGETS = {
    "wgan_gp": [(1, "20.1", "18.2 to 22.9"), (5, "14.7", "13.0 to 16.1")],
    "ns_gan": [(1, "25.3", "21.4 to 30.8"), (2, "22.6", "19.9 to 26.0")],
}
BOARD = Leaderboard(
    title="quick: digits",
    study='it\'s "quick"',
    metric="frechet",
    better="lower is better",
    protocol="1,000 generated against 500 real samples (test), digits_convnet.",
    column="final/quick-1a2b3c4d/frechet",
    rows=ROWS,
    budgets=BUDGETS,
    real=REAL,
    notes=("One run of lsgan diverged.",),
)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("something was sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)


@pytest.fixture
def content(tmp_path, no_network):
    path = tmp_path / "boards" / "quick.json"
    page = path.with_suffix(".html")
    assert publish_leaderboard(BOARD, "me/created-equal", path) == str(page)
    return json.loads(path.read_text(encoding="utf-8"))


def blocks(content, kind):
    return [block for block in content["spec"]["blocks"] if block["type"] == kind]


def cells(markdown):
    """A Markdown table as lists of cells."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in markdown.splitlines()]
    return [[cell.strip().replace("\\|", "|") for cell in line] for line in lines]


def test_every_number_of_the_table_is_there_to_the_digit(content):
    head, rule, *lines = cells(blocks(content, "markdown-block")[0]["content"])
    assert head == ["", "variant", "runs", "mean", "sd", "95% interval", "group"]
    assert set(rule) == {"---"}
    *methods, real = lines
    for place, (line, texts) in enumerate(zip(methods, ROWS, strict=True), start=1):
        assert line == [str(place), *texts]
    assert real == ["", "real (train vs test)", "", "1.09", "", "", ""]


def test_the_preview_is_a_page_with_the_same_table(content, tmp_path):
    """A person reads it without W&B; a name of somebody's variant is text in it."""
    page = (tmp_path / "boards" / "quick.html").read_text(encoding="utf-8")
    texts = [html.unescape(text) for text in re.findall(r"<td[^>]*>(.*?)</td>", page)]
    rows = [[str(place), *row] for place, row in enumerate(ROWS, start=1)]
    *_, real = leaderboard_table(BOARD)[1]
    assert texts[: 7 * 4] == [cell for row in (*rows, real) for cell in row]
    assert (
        "14.7 (13.0 to 16.1)" in texts
        and "<script" not in page
        and "http" not in page.replace("http-equiv", "")
    )
    few = replace(BOARD, rows=[("a", "2", "1.5", "0.1", "\u2013", "")])
    assert leaderboard_table(few)[0] == ("", "variant", "runs", "mean", "sd")
    evil = replace(BOARD, rows=[("<script>alert(1)</script>", "1", "2", "", "", "")])
    assert "<script>" not in render_preview(evil, "me/x")


def test_every_point_of_the_budget_curve_is_there(content):
    head, _, *lines = cells(blocks(content, "markdown-block")[1]["content"])
    assert head == ["runs", "wgan_gp", "ns_gan"]
    assert lines == [
        ["1", "20.1 (18.2 to 22.9)", "25.3 (21.4 to 30.8)"],
        ["2", "", "22.6 (19.9 to 26.0)"],
        ["5", "14.7 (13.0 to 16.1)", ""],
    ]


def test_the_words_and_the_place(content):
    assert (content["entityName"], content["projectName"]) == ("me", "created-equal")
    assert content["displayName"] == "quick: digits"
    text = json.dumps(blocks(content, "paragraph"))
    assert "lower is better" in text and "500 real samples" in text
    assert "One run of lsgan diverged." in text


def test_the_runs_are_those_of_the_study_by_variant(content):
    (grid,) = blocks(content, "panel-grid")
    (runs,) = grid["metadata"]["runSets"]
    assert "project" not in runs  # the report's own
    assert runs["grouping"] == [{"section": "config", "name": "variant.value"}]
    (chosen,) = [f for f in leaves(runs["filters"]) if "group" in json.dumps(f).lower()]
    assert chosen["key"] == {"section": "run", "name": "group"}
    assert (chosen["op"], chosen["value"]) == ("=", BOARD.study)
    panels = grid["metadata"]["panelBankSectionConfig"]["panels"]
    text = json.dumps(panels)
    assert [panel["viewType"] for panel in panels] == [
        "Bar Chart",
        "Run History Line Plot",
        "Run History Line Plot",
        "Media Browser",
    ]
    assert all(name in text for name in (BOARD.column, "selection/frechet", "d_loss", "samples"))


def leaves(filters):
    if "filters" in filters:
        return [leaf for one in filters["filters"] for leaf in leaves(one)]
    return [filters]


def test_without_curves_there_is_one_table():
    assert format_budget_table({}).splitlines()[0] == "| runs |"
    assert len(format_leaderboard(BOARD).splitlines()) == 2 + len(ROWS) + 1


@pytest.mark.parametrize("where", ["me", "me/", "/created-equal", "me/created-equal/more", ""])
def test_a_place_of_another_form_is_one_sentence(where, tmp_path):
    with pytest.raises(UserError, match="--wandb is") as error:
        publish_leaderboard(BOARD, where, tmp_path / "board.json")
    assert "ENTITY/PROJECT" in error.value.fix and not list(tmp_path.iterdir())


def test_a_missing_package_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb_workspaces.reports.v2", None)
    with pytest.raises(UserError, match="needs wandb-workspaces") as error:
        publish_leaderboard(BOARD, "me/created-equal", tmp_path / "board.json")
    assert "pip install" in error.value.fix


def test_without_an_account_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(UserError, match="W&B did not take the report") as error:
        publish_leaderboard(BOARD, "me/created-equal")
    assert "wandb login" in error.value.fix
    assert "\n" not in error.value.message


def test_published_it_is_what_the_dry_run_wrote(content, monkeypatch):
    monkeypatch.undo()
    with wandb_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        address = publish_leaderboard(BOARD, "me/created-equal")
        (sent,) = server.views
    assert address.startswith(server.environment["WANDB_BASE_URL"])
    assert (sent["entityName"], sent["projectName"]) == ("me", "created-equal")
    assert sent["displayName"] == content["displayName"]
    spec = json.loads(sent["spec"])
    assert blocks({"spec": spec}, "markdown-block") == blocks(content, "markdown-block")
    (grid,) = blocks({"spec": spec}, "panel-grid")
    assert grid["metadata"]["runSets"][0]["project"]["name"] == "created-equal"
