"""A report's folder: its content, that it is reproducible, and errors on damaged input."""

import csv
import re
import resource
import shutil
import subprocess
import sys

import pytest

from bench.core.errors import UserError
from bench.reporting.report import collect_stages, load_stages, write_report


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if not p.is_dir()}


def order_in(text):
    return re.findall(r"^\| (wgan|ns_gan|mine) ?\S* \| \d", text, re.MULTILINE)


def test_the_report_says_what_the_rows_say(mixed, tmp_path):
    report = write_report(collect_stages(mixed.root, "s"), tmp_path / "out")
    text = (report.folder / "report.md").read_text()
    table = text[text.index("## digits") : text.index("### Samples")]
    assert order_in(table) == ["wgan", "ns_gan", "mine"]
    wgan = next(line for line in table.splitlines() if line.startswith("| wgan"))
    assert wgan.startswith("| wgan \u2020 | 2 of 3 (1 failed) | 3.00 \u00b1 1.41 (2.00 to 4.00) |")
    assert "| mine | 0 of 2 (2 diverged) | \u2013 |" in table
    assert "| *real (train vs test, 1,297 samples)*, floor |  | 0.250 |" in table
    assert "Too few seeds to rank" in text and "not a ranking" in text
    assert "Frechet distance (digits_convnet features)" in table and "FID" not in table
    assert "8 planned runs: 4 finished, 2 diverged, 1 failed, 1 missing." in text
    assert "python -m bench.train variant=wgan seed=0" in text
    assert "prior (may differ between runs): uniform (ns_gan, wgan, mine); normal (wgan)" in text


def test_the_page_needs_nothing_but_itself(mixed, tmp_path):
    page = write_report(collect_stages(mixed.root, "s"), tmp_path / "out").page.read_text()
    assert "Too few seeds to rank" in page
    assert "default-src 'none'" in page  # the browser refuses whatever a script might ask for
    page = re.sub("<script.*?</script>", "", page, flags=re.DOTALL)
    targets = re.findall(r'\b(?:src|href)="([^"]*)"', page)
    files = {t for t in targets if not t.startswith(("#", "data:"))}
    assert files == {"rows.csv", "tables/digits-quick.csv", "report.md"}
    assert "@import" not in page and "url(http" not in page
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert {t[1:] for t in targets if t.startswith("#")} <= set(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", page)) <= set(ids)
    clips = re.findall(r"<clipPath[^>]*> *<rect ([^>]*)>", page)
    assert clips and all("width" in clip and "height" in clip for clip in clips)


def test_the_same_rows_give_the_same_bytes_and_another_score_another_order(
    mixed, tmp_path, all_formats
):
    write_report(collect_stages(mixed.root, "s"), tmp_path / "one")
    shutil.copytree(mixed.root, tmp_path / "elsewhere")
    write_report(collect_stages(tmp_path / "elsewhere", "s"), tmp_path / "two")
    first, second = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    assert first == second
    figures = {
        f"figures/digits-quick-{n}" for n in ("frechet", "scores", "losses", "samples", "cost")
    }
    pictured = (0, 1, 2, 3)
    assert set(first) == {
        *("report.md", "index.html", "rows.csv", "SHA256SUMS"),
        *("tables/digits-quick.csv", "tables/digits-quick-cost.tex"),
        "tables/scores-quick-digits_convnet-final.tex",
        *("runs.jsonl", "environments.json", "plan.json", "rows.parquet", "history.parquet"),
        *(f"samples/{mixed.runs[n]}.png" for n in pictured),
        *(f"{name}.{suffix}" for name in figures for suffix in ("svg", "png")),
    }
    mixed.score(mixed.runs[2], "wgan", 0, 20)  # wgan: 20 and 4, mean 12; ns_gan: 6
    write_report(collect_stages(mixed.root, "s"), tmp_path / "one")
    assert order_in((tmp_path / "one" / "report.md").read_text())[:2] == ["ns_gan", "wgan"]


def test_pdfs_are_written_when_asked_for_and_removed_when_not(mixed, tmp_path, all_formats):
    """Two reports with every format: what a PDF holds shows only where it is drawn."""
    stages = collect_stages(mixed.root, "s")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mine.pdf").write_bytes(b"mine")
    write_report(stages, tmp_path, pdf=True)
    with_pdfs = files_of(tmp_path)
    pdfs = {name for name in with_pdfs if name.endswith(".pdf")} - {"figures/mine.pdf"}
    assert pdfs == {
        name.replace(".svg", ".pdf") for name in with_pdfs if name.endswith(".svg")
    } and all(with_pdfs[name].startswith(b"%PDF-") for name in pdfs)
    write_report(stages, tmp_path)
    without = files_of(tmp_path)
    assert with_pdfs.keys() - without.keys() == pdfs
    changed = {name for name in without if without[name] != with_pdfs[name]}
    assert changed == {"SHA256SUMS"}


def test_without_address_space_for_the_renderer_a_report_is_whole_and_static(mixed, tmp_path):
    """Under a limit of its own, for five seconds: V8 ends the process that it cannot start in."""
    eight_gib = (8 << 30, 8 << 30)
    done = subprocess.run(
        [sys.executable, "-m", "bench", "report", "s", f"--runs-root={mixed.root}", "--to=out"],
        cwd=tmp_path, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, eight_gib),
    )  # fmt: skip
    assert done.returncode == 0
    (caution,) = done.stderr.splitlines()
    sentence = caution.removeprefix("caution: ")
    assert sentence.startswith("The charts are static: vl-convert-python") and "ulimit" in sentence
    files = files_of(tmp_path / "out")
    assert len([name for name in files if name.startswith("figures/")]) == 5 * 2
    page = files["index.html"].decode()
    assert page.count(f">{sentence}</p>") == 1 and ' data-board="' not in page
    assert page.count('<div class="still">') == 4  # the fifth figure is a sheet of pictures


def test_rows_csv_holds_every_row_with_all_digits(mixed, tmp_path):
    mixed.score(mixed.runs[0], "ns_gan", 0, 1 / 3)
    report = write_report(collect_stages(mixed.root, "s"), tmp_path / "out")
    with open(report.folder / "rows.csv", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["run_id"] for row in rows] == ["real-0", *mixed.runs[:6]]
    assert float(rows[1]["scores.frechet"]) == 1 / 3
    assert rows[1]["wall_seconds"] == "3.0" and rows[0]["wall_seconds"] == ""
    assert rows[5]["status"] == "diverged" and rows[5]["scores.frechet"] == ""
    with open(report.folder / "tables" / "digits-quick.csv", newline="") as lines:
        cell = next(c for c in csv.DictReader(lines) if c["variant"] == "wgan")
    assert (cell["mean"], cell["n"], cell["planned"], cell["failed"]) == ("3.0", "2", "3", "1")
    assert (cell["score"], cell["direction"]) == ("frechet", "lower")


def test_claims_stand_only_in_the_report_of_a_sweep_that_judges_them(written, tmp_path):
    for seed in range(10):
        written.run("wgan", seed, 1 + seed)
        written.run("hinge_gan", seed, 21 + seed)
    plain = write_report(collect_stages(written.root, "s"), tmp_path / "plain")
    for text in (plain.page.read_text(), (plain.folder / "report.md").read_text()):
        assert "claims" not in text.split("vegaEmbed")[0]
    assert not (plain.folder / "tables/claims.tex").exists()
    written.claims = True
    written.plan()
    assert load_stages("s", written.root)[0].claims
    judged = write_report(load_stages("s", written.root), tmp_path / "judged")
    again = write_report(load_stages(str(judged.folder), written.root), tmp_path / "again")
    assert files_of(judged.folder) == files_of(again.folder)
    assert (judged.folder / "tables/claims.tex").exists()
    # ten seeds of two variants decide C6; the rest share one line
    open_claims = "C1, C2, C3, C4, C5, C7, C8, C9, C10, C11, C12, M1, M2, M3, M4, M5 and M6"
    line = f"<summary>These runs cannot judge {open_claims}: what each of them needs</summary>"
    for text in (judged.page.read_text(), (judged.folder / "report.md").read_text()):
        assert text.count(line) == 1
    page = judged.page.read_text()
    assert page.count('<article class="claim"') == 1 and 'id="claims-C6"' in page
    assert "twelve claims, these runs" in page


def test_real_images_stand_beside_samples_and_in_the_published_folder(mixed, tmp_path):
    mixed.picture("real-0")
    report = write_report(collect_stages(mixed.root, "s"), tmp_path / "out")
    picture = (mixed.root / "real-0/samples/final.png").read_bytes()
    assert (report.folder / "samples/real-0.png").read_bytes() == picture
    again = write_report(load_stages(str(report.folder), mixed.root), tmp_path / "again")
    assert files_of(report.folder) == files_of(again.folder)
    page = report.page.read_text()
    assert page.count('<img alt="real images"') == 1 and "beside real images" in page


def test_of_many_scores_five_are_shown_and_the_others_are_in_the_csv(made, tmp_path):
    names = [f"score_{n}" for n in range(6)]
    made.metrics = dict.fromkeys(names, "higher")
    made.seeds("wgan", [1.0, 2.0], scores=[dict.fromkeys(names, 0.5)] * 2)
    report = write_report(made.records(), tmp_path)
    text = (report.folder / "report.md").read_text()
    (head,) = re.findall(r"^\| variant \| seeds \|.*$", text, re.MULTILINE)
    shown = ["Frechet distance (lower)", *(f"score {n} (higher)" for n in range(4))]
    assert [cell.strip() for cell in head.split("|")[3:-1]] == shown
    assert "All 7 scores are in" in text
    csv_text = (report.folder / "tables/seeds-digits-quick.csv").read_text()
    assert all(f"wgan,{name}," in csv_text for name in names)


def test_groups_are_never_in_one_table(written, tmp_path):
    written.run("wgan", 0, 2)
    written.run("ns_gan", 0, 1, protocol={"split": "train"})
    text = (
        write_report(collect_stages(written.root, "s"), tmp_path).folder / "report.md"
    ).read_text()
    parts = text.split("### Scores")[1:]
    assert [order_in(part[: part.index("### Runs")]) for part in parts] in (
        [["wgan"], ["ns_gan"]],
        [["ns_gan"], ["wgan"]],
    )
    assert "Compare scores only within one table" in text
    sections = text.split("\n## ", 1)[1]
    assert sections.count("Only one variant: there is nothing to compare it with.") == 2


def test_a_sweep_of_which_nothing_finished_is_reported(written, tmp_path):
    written.run("wgan", 0, status="diverged")
    text = (
        write_report(collect_stages(written.root, "s"), tmp_path).folder / "report.md"
    ).read_text()
    assert "No run has a Frechet distance" in text
    assert "| wgan \u2020 | 0 of 1 (1 diverged) | \u2013 |" in text


@pytest.mark.parametrize(
    "place, content, match",
    [
        ("row-broken.json", b"{", "row-broken.json"),
        ("row-broken.json", b'{"schema": 3}', "row-broken.json is not a row"),
        ("status.json", b"[]", "status.json is damaged"),
        ("history.csv", b"step,d_loss\n10,abc\n", "history.csv is not a history"),
        ("samples/final.png", b"not a picture", "final.png is no picture"),
    ],
)
def test_a_damaged_file_is_named(mixed, tmp_path, place, content, match):
    (mixed.root / mixed.runs[0] / place).write_bytes(content)
    with pytest.raises(UserError, match=match):
        write_report(collect_stages(mixed.root, "s"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_sweep_is_refused(written, tmp_path):
    with pytest.raises(UserError, match="no sweep 'other'"):
        write_report(collect_stages(written.root, "other"), tmp_path / "out")


def test_a_sweep_without_rows_is_refused(written, tmp_path):
    written.add_run_without_row("wgan", 0)
    with pytest.raises(UserError, match="no scored run yet .8 planned, 1 failed, 7 missing"):
        write_report(collect_stages(written.root, "s"), tmp_path / "out")


def test_a_folder_that_cannot_be_is_refused(written, tmp_path):
    written.run("wgan", 0, 2)
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UserError, match="cannot write"):
        write_report(collect_stages(written.root, "s"), tmp_path / "out")


def test_reports_import_no_torch_and_matplotlib_only_to_draw():
    code = (
        "import sys, bench.reporting.report, bench.reporting.output.terminal_table\n"
        "loaded = {'torch', 'pytorch_lightning', 'hydra', 'matplotlib', 'PIL'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
