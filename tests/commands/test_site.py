"""An index page over several reports."""

import re
import shutil
from html.parser import HTMLParser

import pytest
from made import normal, seeds

from bench.commands import cli
from bench.commands.site import write_site
from bench.core.errors import UserError
from bench.reporting.data.records import StageRecord
from bench.reporting.output.site import read_entry
from bench.reporting.report import write_report


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a folder of two reports and a folder that is none."""
    folder = tmp_path_factory.mktemp("results")
    for name, mean in (("first", 10), ("second <b>", 40)):
        runs = seeds({"wgan": normal(mean, 1, 10), "vae": [*normal(mean + 30, 1, 10), None]})
        stage = StageRecord(name, "command", "all", tuple(runs), ())
        write_report([stage], folder / name)
    (folder / "notes").mkdir()
    return folder


class Links(HTMLParser):
    """Collect what a page links to and shows."""

    def __init__(self):
        super().__init__()
        self.paths, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        """Note the tag, and its target."""
        self.tags.append(tag)
        self.paths += [value for key, value in attrs if key in ("href", "src")]


def test_the_index_shows_each_report_and_all_its_links_are_there(results, tmp_path, run_command):
    to = tmp_path / "site"
    done = run_command(cli.main, "site", str(results), "--to", str(to))
    assert done.returncode == 0 and done.stdout.strip() == str(to / "index.html"), done.stderr
    page = (to / "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    local = [path for path in links.paths if not path.startswith("data:")]
    assert len(local) == 2 * 4 and all((to / path).is_file() for path in local)
    assert links.tags.count("article") == links.tags.count("img") == 2
    assert page.count("22 planned runs") == 0 and page.count("21 planned runs: 20 finished") == 2
    assert "ranges from 10.0 for wgan to 40.0 for vae" in page
    assert "b" not in links.tags and "script" not in links.tags and "http:" not in page
    copied = to / "first" / "index.html"
    assert copied.read_bytes() == (results / "first" / "index.html").read_bytes()
    assert re.search(r"first, \d{4}-\d\d-\d\d\.", page)


def test_a_site_that_is_written_again_drops_a_report_that_is_gone(results, tmp_path):
    write_site([results], tmp_path / "site")
    (tmp_path / "site" / "mine.txt").write_text("mine")
    write_site([results / "first"], tmp_path / "site")
    left = {path.name for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert "mine.txt" in left and "index.html" in left
    assert not list((tmp_path / "site").glob("second*/index.html"))


def test_two_reports_of_one_name_are_told_apart_by_the_folder_above(results, tmp_path):
    shutil.copytree(results / "first", tmp_path / "mine" / "first")
    write_site([results / "first", tmp_path / "mine"], tmp_path / "site")
    folders = {path.name for path in (tmp_path / "site").iterdir() if path.is_dir()}
    assert folders == {f"{results.name}-first", "mine-first"}
    with pytest.raises(UserError, match="two reports are called mine-first"):
        shutil.copytree(tmp_path / "mine", tmp_path / "a" / "mine")
        write_site([tmp_path / "mine", tmp_path / "a" / "mine"], tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_no_report_and_a_site_in_its_own_reports_are_refused(results, tmp_path):
    with pytest.raises(UserError, match="no report, and no folder of reports"):
        write_site([tmp_path], tmp_path.parent / "site")
    with pytest.raises(UserError, match="whose reports it would hold twice"):
        write_site([results], results / "site")
    assert not (results / "site").exists()


def test_what_a_strangers_report_names_is_text_and_lies_in_its_folder(tmp_path):
    """Neither a figure nor a listed file may lie outside the report."""
    folder = tmp_path / "theirs"
    (folder / "figures").mkdir(parents=True)
    (tmp_path / "secret.svg").write_text("secret")
    (folder / "figures" / "link.svg").symlink_to(tmp_path / "secret.svg")
    (folder / "index.html").write_text("page")
    (folder / "report.md").write_text(
        "# A \\<b\\> [title](javascript:x)\n\nOne \\*is\\* 3.5. Two.\n\n![x](figures/link.svg)\n"
    )
    entry = read_entry(folder, "theirs", "2026-01-01")
    assert (entry.title, entry.headline, entry.figure) == ("A <b> title", "One *is* 3.5.", "")
    write_site([folder], tmp_path / "site")
    page = (tmp_path / "site" / "index.html").read_text()
    assert "A &lt;b&gt; title" in page and "javascript" not in page
    names = {path.name for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert names == {"SHA256SUMS", "index.html", "report.md"}
