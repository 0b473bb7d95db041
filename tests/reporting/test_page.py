"""The page in a browser: sorting, filtering, opening runs, with no request and no error."""

import os
import re
import shutil

import pytest

from bench.core.errors import Caution
from bench.reporting.output import interactive
from bench.reporting.report import collect_stages, write_report

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# The lowest of ten Frechet distances of each variant's best checkpoints, and its recall. The final
# checkpoint's are 31 less these: there, and by recall, the order is the other way round.
VARIANTS = {"wgan": (1, 0.25), "ns_gan": (11, 0.5), "vae": (21, 0.75)}
UNNAMED = """() => {
  const named = (e) => e.labels?.length || e.ariaLabel || e.textContent.trim() ||
    e.hasAttribute("aria-labelledby") || e.querySelector("img[alt]");
  const all = document.querySelectorAll("select, input, button, a, [role=img], [role=region]");
  const shown = [...all].filter((e) => !e.closest("dialog, [hidden]"));
  return shown.filter((e) => !named(e)).map((e) => e.outerHTML);
}"""
CONTRASTS = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const found = channels(getComputedStyle(e).backgroundColor);
      if (found[3] !== 0) return found;
    }
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility({ visibilityProperty: true }) || e.closest("script")) continue;
    if (e.closest("svg") && !e.closest(".live")) continue; // may stand on a coloured cell
    const style = getComputedStyle(e);
    const text = channels(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [luminance(text), luminance(behind(e))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), e.textContent.trim().slice(0, 30)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def folder(write_sweep, tmp_path_factory):
    """A report of three variants, ten seeds and two checkpoints; a fourth variant diverged."""
    sweep = write_sweep(tmp_path_factory.mktemp("page") / "runs")
    for variant, (lowest, recall) in VARIANTS.items():
        for seed in range(10):
            score = lowest + seed
            run = sweep.run(variant, seed, score, recall=recall, checkpoint="best")
            sweep.score(run, variant, seed, 31 - score, recall)
            if seed == 4:  # the median of ten
                sweep.picture(run)
    run = sweep.run("mine", 0, status="diverged", checkpoint="best")
    sweep.score(run, "mine", 0, None, status="diverged")
    sweep.add_real_baseline(0.25, prior=None, n_fake=1297)
    return write_report(collect_stages(sweep.root, "s"), sweep.root.parent / "out").folder


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium: apt-get install chromium")
        pytest.skip("no Chromium on this machine")
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, folder):
    """Open the page, and check at the end that it requested no other file and logged no error."""
    contexts, messages, requests, addresses = [], [], [], set()

    def open_at(hash="", folder=folder, drawn="header figure.drawn", **kinds):
        address = (folder / "index.html").as_uri()
        addresses.add(address)
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 1000}, **kinds})
        contexts.append(context)
        context.set_default_timeout(5000)
        context.set_offline(True)
        page = context.new_page()
        page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url.partition("#")[0]))
        page.goto(address + hash)
        if kinds.get("java_script_enabled", True):
            page.wait_for_selector(drawn)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert messages == []
    assert {url for url in requests if not url.startswith("data:")} == addresses


def column(page, title):
    """Return the texts of a column of the leaderboard."""
    titles = page.locator("#board thead th button").all_inner_texts()
    cells = page.locator(f"#board tbody tr > :nth-child({titles.index(title) + 1})")
    return [re.split(r"\u2020|\n", text)[0].strip() for text in cells.all_inner_texts()]


def sort_by(page, title):
    page.get_by_role("button", name=title, exact=True).click()


def test_the_leaderboard_opens_with_the_main_table(visit):
    page = visit()
    assert column(page, "variant") == ["wgan", "ns_gan", "vae", "mine"]
    assert column(page, "#") == ["1", "2", "3", "\u2013"]
    assert column(page, "mean") == ["5.5", "15.5", "25.5", "\u2013"]
    assert column(page, "diverged") == ["0", "0", "0", "1"]
    assert "real (train vs test, 1,297 samples)" in page.locator("#board tfoot").inner_text()


def test_a_click_on_a_heading_sorts_and_what_has_no_number_stays_last(visit):
    page = visit()
    sort_by(page, "highest")
    assert column(page, "highest") == ["10.0", "20.0", "30.0", "\u2013"]
    sort_by(page, "highest")
    assert column(page, "highest") == ["30.0", "20.0", "10.0", "\u2013"]
    heading = page.locator("#board thead th", has_text="highest")
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator("#board thead [aria-sort]").count() == 1
    sort_by(page, "variant")
    assert column(page, "variant") == ["mine", "ns_gan", "vae", "wgan"]


def test_another_score_and_another_checkpoint_are_other_orders(visit):
    page = visit()
    page.get_by_label("Score", exact=True).select_option("recall")
    assert column(page, "variant") == ["vae", "ns_gan", "wgan", "mine"]
    assert column(page, "mean") == ["0.750", "0.500", "0.250", "\u2013"]
    assert "recall, higher is better" in page.locator("#board-said").inner_text()
    sort_by(page, "mean")  # the better first
    assert column(page, "mean")[0] == "0.750"
    page.get_by_label("Protocol and checkpoint", exact=True).select_option(
        label="quick, final checkpoint"
    )
    page.get_by_label("Score", exact=True).select_option("frechet")
    sort_by(page, "#")
    assert column(page, "variant") == ["vae", "ns_gan", "wgan", "mine"]
    assert column(page, "mean") == ["5.5", "15.5", "25.5", "\u2013"]
    page.wait_for_selector("#board-chart .live svg")


def test_the_filter_keeps_the_places(visit):
    page = visit()
    page.get_by_label("Variants", exact=True).fill("vae, ns")
    assert column(page, "variant") == ["ns_gan", "vae"]
    assert column(page, "#") == ["2", "3"]
    page.get_by_label("Variants", exact=True).fill("")
    assert len(column(page, "variant")) == 4


def test_what_is_shown_is_in_the_link(visit):
    page = visit()
    page.get_by_label("Score", exact=True).select_option("recall")
    page.get_by_label("Variants", exact=True).fill("gan")
    sort_by(page, "mean")
    sort_by(page, "mean")
    link = page.evaluate("location.hash")
    assert link.startswith("#leaderboard?")
    other = visit(link)
    assert column(other, "variant") == ["wgan", "ns_gan"]
    assert other.get_by_label("Variants", exact=True).input_value() == "gan"
    assert column(visit("#leaderboard?metric=no_such&group=none&sort=x"), "#")[0] == "1"


def test_a_dot_tells_its_run_and_opens_it(visit):
    page = visit()
    dot = page.locator("header .live .mark-symbol path").first
    dot.hover()
    assert "seed 0" in page.locator("#vg-tooltip-element.visible").inner_text()
    page.locator("header .live .mark-rect path").first.hover()
    assert "95% interval of the mean" in page.locator("#vg-tooltip-element").inner_text()
    dot.click()
    assert page.locator("dialog h2").inner_text() == "wgan"
    assert page.evaluate("location.hash") == "#run-" + "0" * 16


def test_a_run_is_opened_read_and_left_by_keyboard(visit):
    page = visit("#leaderboard?metric=recall")
    page.get_by_role("button", name="wgan", exact=True).press("Enter")
    page.get_by_role("link", name="seed 4").press("Enter")
    dialog = page.get_by_role("dialog")
    text = dialog.inner_text()
    assert "default configuration, seed 4, finished" in text
    assert "python -m bench.train variant=wgan seed=4" in text
    assert "Frechet distance\t5.0\t26.0" in text
    assert "learning rate\n0.001" in text and "2.13.0" in text
    assert dialog.get_by_role("img", name="Samples of wgan").is_visible()
    page.wait_for_selector("#run-loss-curve svg path")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.closest('main section:not(#runs)')")
    dialog.get_by_role("button", name="later").click()
    assert "seed 5" in dialog.inner_text() and page.evaluate("location.hash").endswith("5")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("location.hash") == "#leaderboard?metric=recall"
    assert page.evaluate("document.activeElement.textContent").startswith("seed 4")


def test_a_link_to_a_run_survives(visit):
    page = visit("#run-" + "0" * 15 + "a")
    assert page.locator("dialog h2").inner_text() == "ns_gan"
    page.evaluate("location.hash = '#provenance'")
    page.locator("dialog[open]").wait_for(state="detached")
    page.go_back()
    page.locator("dialog[open]").wait_for()


def test_a_reader_without_scripts_or_on_paper_misses_no_number(visit):
    bare = visit(java_script_enabled=False)
    assert bare.locator("#board tbody tr").count() == 4
    assert bare.locator("header figure svg").first.is_visible()
    assert not bare.locator(".controls").is_visible()
    page = visit()
    page.emulate_media(media="print")
    assert page.locator("header .still svg").first.is_visible()
    assert page.locator("#board tbody tr").count() == 4
    for gone in (".controls", "header .live", "nav.contents", "dialog"):
        assert not page.locator(gone).first.is_visible()


def test_without_a_renderer_a_sentence_stands_where_a_chart_would(visit, mixed, monkeypatch):
    why = "The charts are static: of <this>."
    monkeypatch.setattr(interactive, "vega_javascript", lambda: ("", why))
    with pytest.warns(Caution, match=re.escape(why)):
        folder = write_report(collect_stages(mixed.root, "s"), mixed.root.parent / "out").folder
    page = visit(folder=folder, drawn="#board tbody button")
    assert page.locator("header .still svg").first.is_visible()
    assert page.locator("header figure .note").inner_text() == why
    assert "Point at a dot" not in page.locator("header figcaption").inner_text()
    page.get_by_label("Score", exact=True).select_option("recall")
    assert page.locator("#board-chart .live").inner_text() == why
    page.get_by_role("button", name="wgan", exact=True).click()
    page.get_by_role("link", name="seed 1").click()
    assert page.locator("#run-loss-curve").inner_text() == why
    assert page.locator("#run-score-curve").is_hidden()  # no checkpoint was scored on the way


def test_two_seeds_have_no_interval_no_word_of_it_and_no_warning(visit, mixed):
    """Vega warns of a chart's empty layer; the fixture `visit` fails on any message."""
    mixed.picture("real-0")
    folder = write_report(collect_stages(mixed.root, "s"), mixed.root.parent / "out").folder
    page = visit(folder=folder)
    assert "interval of the mean" not in page.locator("header figcaption").inner_text()
    link = page.locator("header figcaption a")
    assert link.inner_text() == "#" and link.get_attribute("aria-label") == "Link to this figure"
    page.get_by_label("Score", exact=True).select_option("recall")
    page.wait_for_selector("#board-chart .live svg")
    sizes = page.locator(".sheet img").evaluate_all(
        "all => all.map((e) => [e.getBoundingClientRect().width / e.naturalWidth,"
        " getComputedStyle(e).imageRendering])"
    )
    assert sizes == [[18, "pixelated"]] * 5  # real images, wgan's and ns_gan's two: 16 pixels each
    page.locator(".sheet a .crop").first.click()
    width = page.locator("dialog img").evaluate("e => e.getBoundingClientRect().width")
    assert width == 17 * 16  # whole, to 272 at most


def test_ten_seeds_have_an_interval_that_the_caption_explains(visit):
    assert "The pale bar is the 95% interval" in visit().locator("header figcaption").inner_text()


def test_a_wide_table_keeps_its_first_column_and_shows_that_it_scrolls(visit):
    page = visit(viewport={"width": 390, "height": 844})
    cost = page.get_by_role("region", name="Runs and cost")
    name = cost.get_by_role("rowheader", name="wgan", exact=True)
    left = name.bounding_box()["x"]
    cost.evaluate("e => (e.scrollLeft = 200)")
    assert name.bounding_box()["x"] == left
    head = cost.get_by_role("columnheader", name="variant")
    assert head.bounding_box()["x"] == left
    backgrounds = cost.evaluate("e => getComputedStyle(e).backgroundAttachment")
    assert backgrounds == "local, local, scroll, scroll"  # shades at the edges, while there is more


def test_further_scores_are_shown_on_demand(visit, made, tmp_path):
    names = [f"score_{n}" for n in range(6)]
    made.metrics = dict.fromkeys(names, "higher")
    made.seeds("wgan", [1.0, 2.0], scores=[dict.fromkeys(names, 0.5)] * 2)
    page = visit(folder=write_report(made.records(), tmp_path).folder)
    heads = page.get_by_role("region", name="Scores").locator("thead th:visible")
    assert heads.count() == 2 + 5  # variant and seeds
    page.get_by_label("Show all 7 scores").first.check()
    assert heads.count() == 2 + 7
    figure = page.locator("#seeds-digits-quick-scores svg").first
    assert not figure.is_visible()
    page.get_by_text("Show the other 6 scores").click()
    assert figure.is_visible()


def test_on_a_telephone_nothing_is_wider_than_the_screen(visit):
    page = visit("#leaderboard?metric=recall", viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="wgan", exact=True).click()
    page.wait_for_selector("#board-chart .live svg")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    page.get_by_role("link", name="seed 4").click()
    page.wait_for_selector("#run-loss-curve svg path")
    assert (
        page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0
    )


def test_headings_labels_and_pictures_are_fit_for_a_screen_reader(visit):
    page = visit()
    levels = page.evaluate(
        "[...document.querySelectorAll('body > :not(dialog) :is(h1,h2,h3,h4), main :is(h2,h3,h4)')]"
        ".filter(h => !h.closest('dialog')).map(h => +h.tagName[1])"
    )
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    unnamed = page.evaluate(UNNAMED)
    assert unnamed == []
    assert page.locator("img:not([alt])").count() == 0
    page.locator("#board-filter").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#board') !== null")


def test_text_can_be_read_in_light_and_dark(visit):
    page = visit("#leaderboard?metric=recall")
    papers = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(CONTRASTS)
        assert len(found) > 100
        assert [pair for pair in found if pair[0] < 4.5] == []
        papers.add(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        papers.add(
            page.evaluate(
                "getComputedStyle(document.querySelector('.mark-tick path, .mark-rect path')).fill"
            )
        )
    assert len(papers) == 4
