"""Numbers behind the figures over seeds, and what is drawn of them."""

import io
import math
import pkgutil
import re

import numpy as np
import pytest
from made import comparisons, search, seeds
from PIL import Image

from bench.plotting.style import VARIABLES, assign_styles
from bench.reporting import figures
from bench.reporting.analysis.precision_recall import harmonic_mean
from bench.reporting.analysis.rankings import improvement_matrix, outcomes_by_method, rank_methods
from bench.reporting.analysis.seed_bands import compute_band
from bench.reporting.analysis.variance_shares import variance_shares
from bench.reporting.figures import (
    SectionData,
    improvement,
    precision_recall,
    precision_recall_panels,
    progress,
    ranks,
    samples,
    variance,
)
from bench.reporting.figures.figure import SEARCH, SEEDS, UNSCORED_SEARCH, Sample
from bench.reporting.output.pages import TEMPLATES
from bench.reporting.output.sections import draw_sections
from bench.reporting.tables.search import summarise_search

PICTURE = io.BytesIO()
Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(PICTURE, "png")


def colours_of(svg):
    return set(re.findall(r"#[0-9a-f]{6}\b", svg.decode()))


def section_of(table):
    return SectionData(table, assign_styles(["wgan"]))


def titles(section):
    return [figure.title for figure in section.figures]


def test_ranks_and_improvement_of_two_variants_without_overlap(made):
    made.seeds("wgan", [float(s) for s in range(1, 11)])
    made.seeds("ns_gan", [float(s) for s in range(11, 21)])
    table = made.comparisons()[0].main
    ranks_by_method = rank_methods(table)
    assert list(ranks_by_method) == ["wgan", "ns_gan"]
    assert [tuple(one) for one in ranks_by_method.values()] == [(1, 1, 1), (2, 2, 2)]
    pairs = improvement_matrix(table)
    assert pairs.shares.tolist() == [[0.5, 1.0], [0.0, 0.5]]
    assert pairs.significant.tolist() == [[False, True], [True, False]]
    svg = improvement.draw(section_of(table)).svg.decode()
    assert ">1.00<" in svg and ">0.00<" in svg


def test_a_diverged_run_is_worse_than_any_score(made):
    made.seeds("wgan", [1.0, 1.0, 1.0, None, None])
    made.seeds("ns_gan", [2.0, 2.0, 2.0, 2.0, 2.0])
    table = made.comparisons()[0].main
    assert outcomes_by_method(table)["wgan"] == [1, 1, 1, math.inf, math.inf]
    assert improvement_matrix(table).shares[0, 1] == pytest.approx(3 / 5)
    assert not improvement_matrix(table).significant.any()  # five runs bear no interval


def test_nothing_is_ranked_with_one_seed(made):
    for variant in ("wgan", "ns_gan"):
        made.run(variant, 2.0)
    comparison = made.comparisons()[0]
    assert rank_methods(comparison.main) == {} and improvement_matrix(comparison.main) is None
    assert ranks.draw(section_of(comparison.main)) is None
    assert titles(draw_sections([comparison])[0]) == ["", "Further scores"]


def test_variance_splits_into_seed_and_hyperparameters(made):
    logs = np.array([0.0, 3.0] * 6)  # variance 9 * 12 / 44 = 27 / 11
    seeds = np.array([0.0, 1.0] * 5)  # variance 10 / 36 = 5 / 18
    made.search("wgan", np.exp(logs).tolist())
    made.seeds("wgan", np.exp(seeds).tolist())
    first, second = made.comparisons()
    (shares,) = variance_shares(summarise_search(second.main), first.main)
    assert shares.seed == pytest.approx(5 / 18) and shares.evaluation is None
    assert shares.hyperparameters == pytest.approx(27 / 11 - 5 / 18)
    assert shares.total == pytest.approx(27 / 11)
    assert sum(variance.relative_shares(shares).values()) == pytest.approx(1)


def test_known_noise_of_the_evaluation_is_taken_from_the_seed(made):
    noise = [{"frechet.latent_sd": 0.1 * score} for score in np.exp([0.0, 1.0] * 5)]
    made.search("wgan", np.exp([0.0, 3.0] * 6).tolist())
    made.seeds("wgan", np.exp([0.0, 1.0] * 5).tolist(), details=noise)
    first, second = made.comparisons()
    (shares,) = variance_shares(summarise_search(second.main), first.main)
    assert shares.evaluation == pytest.approx(0.01)
    assert shares.seed == pytest.approx(5 / 18 - 0.01)
    assert list(variance.relative_shares(shares)) == list(variance.COLOURS)


def test_few_runs_have_no_split_and_a_study_without_search_no_figure_of_it(made):
    made.search("wgan", [1.0, 2.0, 3.0])
    made.seeds("wgan", [1.0, 2.0, 3.0])
    study = made.comparisons()
    assert variance_shares(summarise_search(study[1].main), study[0].main) == []
    assert variance.draw(section_of(study[0].main)) is None
    assert "Sources of variance" not in titles(draw_sections(study)[0])


def test_a_band_ends_where_most_curves_have_ended():
    curves = [
        (np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 3.0])),
        (np.array([1.0, 2.0]), np.array([7.0, 8.0])),
        (np.array([1.0]), np.array([9.0])),
    ]
    band = compute_band(curves)
    assert band.steps.tolist() == [1, 2]
    assert band.median.tolist() == [7, 6]
    assert band.low.tolist() == [5, 4] and band.high.tolist() == [9, 8]
    assert compute_band([]) is None


def test_progress_needs_two_scored_checkpoints(made):
    made.run("wgan", 1.0, history={"frechet": ([10], [4.0])})
    assert progress.draw(section_of(made.comparisons()[0].main)) is None
    made.run("wgan", 1.0, seed=1, history={"frechet": ([10, 20], [6.0, 2.0])})
    table = made.comparisons()[0].main
    assert progress.bands_by_method(table)["wgan"].median.tolist() == [5.0, 2.0]
    assert progress.draw(section_of(table)) is not None


def test_f1_is_the_harmonic_mean_and_0_for_nothing():
    f1 = harmonic_mean(np.array([0.5, 1.0, 0.0]), np.array([1.0, 1.0, 0.0]))
    assert f1 == pytest.approx([2 / 3, 1, 0])


def test_a_trade_off_needs_both_scores(made):
    made.metrics = {"precision": "higher"}
    made.run("wgan", 2.0, scores={"precision": 0.5})
    table = made.comparisons()[0].main
    assert precision_recall.draw(section_of(table)) is None
    assert precision_recall_panels.draw(section_of(table)) is None


def test_precision_stands_upward_and_recall_to_the_right(made, monkeypatch):
    for seed in range(3):
        scores = {"precision": 0.25 * seed, "recall": 0.5}
        made.run("wgan", 2.0 + seed, seed=seed, scores=scores)
    made.run("wgan", seed=3)
    made.add_real_baseline(frechet=1.0, precision=0.9, recall=0.8)
    table = made.comparisons()[0].main
    shown, render = [], precision_recall.render
    monkeypatch.setattr(
        precision_recall, "render", lambda fig, *args: (shown.append(fig), render(fig, *args))[1]
    )
    assert precision_recall.draw(section_of(table)) is not None
    left, right = shown[0].axes
    points = next(line for line in left.lines if line.get_marker() == "o")
    assert points.get_xdata().tolist() == [0.5] * 3
    assert points.get_ydata().tolist() == [0, 0.25, 0.5]
    star = next(line for line in left.lines if line.get_marker() == "*")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0.8, 0.9)
    points = next(line for line in right.lines if line.get_marker() == "o")
    assert points.get_xdata() == pytest.approx([0, 1 / 3, 0.5])
    assert points.get_ydata().tolist() == [2, 3, 4]


def test_the_sheet_has_the_best_the_median_and_the_worst_run_beside_real_images(made):
    made.seeds("wgan", [5.0, 3.0, 9.0, 7.0], picture=[PICTURE.getvalue()] * 4)
    made.seeds("vae", [2.0, 20.0], picture=[PICTURE.getvalue()] * 2)
    made.run("mine", 50.0)
    made.run("lost")
    made.add_real_baseline(frechet=0.5)
    made.real_picture = PICTURE.getvalue()
    table = made.comparisons()[0].main
    shown = [(one.name, one.kind, one.score) for one in samples.list_samples(section_of(table))]
    assert shown == [
        ("real images", "", ""),
        ("wgan", "best", "3.0"),
        ("wgan", "median", "5.0"),
        ("wgan", "worst", "9.0"),
        ("vae", "best", "2.0"),
        ("vae", "worst", "20.0"),
        ("mine", "the only run", "50.0, no picture kept"),
        ("lost", "", "no finished run"),
    ]
    caption = samples.caption(section_of(table))
    assert "best, median, worst and the only run" not in caption
    assert "best, median and worst run by Frechet distance, beside real images" in caption
    assert "chosen by eye" in caption and "final" not in caption


def test_the_page_shows_a_grid_at_whole_pixels_and_a_plot_whole():
    def sample(height, width):
        return Sample("a", "best", "1", "id", b"png", np.zeros((height, width, 3)))

    assert sample(272, 272).shown == (272, 272, 136)  # 8 x 8 images of 34: four rows of them
    assert sample(528, 528).shown == (528, 264, 264)  # of 66 pixels: four by four
    assert sample(16, 16).shown == (288, 288, 144)
    assert not sample(400, 840).is_grid


def test_a_grid_with_a_row_for_each_class_is_a_grid_and_shown_with_its_rows():
    def sample(rows, tile, columns=8):
        pixels = np.zeros((tile * rows, tile * columns, 3), np.uint8)
        pixels[:, ::tile] = pixels[:, tile - 1 :: tile] = 255
        return Sample("a", "best", "1", "id", b"png", pixels)

    assert all(sample(rows, 34).is_grid for rows in (2, 10))
    assert not sample(10, 34, columns=5).is_grid
    assert sample(10, 34).shown == (272, 272, 340)
    assert sample(100, 34).shown == (272, 272, 408)  # twelve rows of 34
    assert sample(10, 66).shown == (528, 264, 660)


def test_the_sheet_says_that_pictures_are_of_the_final_checkpoint(made):
    made.run("wgan", 5.0, checkpoint="best", picture=PICTURE.getvalue())
    section = section_of(made.comparisons()[0].main)
    assert [picture.name for picture in samples.list_samples(section)] == ["wgan"]
    assert "show the final checkpoint" in samples.caption(section)
    assert "of the best one" in samples.caption(section)


def test_a_contender_styles_the_same_in_every_section_and_in_the_dark(made):
    names = [f"v{n}" for n in range(14)]
    styles = assign_styles(names)
    assert len({styles[name] for name in names[:12]}) == 12
    assert styles == assign_styles([*names, *reversed(names)])
    css = (TEMPLATES / "page.css").read_text()
    for variable in VARIABLES.values():  # once for light, once for dark
        assert css.count(f"{variable[4:-1]}: #") == 2


def test_every_module_is_a_figure_with_a_place_of_its_own():
    modules = {module.name for module in pkgutil.iter_modules(figures.__path__)}
    specs = figures.list_figures()
    assert len(specs) == len(modules - {"figure", "shared_text", "short_names"})
    for kind in (SEEDS, SEARCH, UNSCORED_SEARCH):
        places = [spec.place for spec in specs if kind in spec.sections]
        assert places == sorted(set(places)) and 0 in places
    assert {kind for spec in specs for kind in spec.sections} == {SEEDS, SEARCH, UNSCORED_SEARCH}


@pytest.mark.slow
def test_a_study_is_drawn_the_same_twice(made):
    made.metrics = {"precision": "higher", "recall": "higher"}
    generator = np.random.default_rng(0)
    for variant in ("wgan", "ns_gan"):
        for stage in (made.search, made.seeds):
            values = generator.uniform(1, 50, 12).tolist()
            scores = [{"precision": 0.5, "recall": v / 50} for v in values]
            history = {"frechet": ([10, 20], [values[0], values[1]]), "d_loss": ([1, 2], [3, 4])}
            stage(variant, [*values[:-1], None], scores=scores, history=[history] * 12)
    made.add_real_baseline(frechet=1.0, precision=0.9, recall=0.8)
    study = made.comparisons()
    once, again = (draw_sections(study) for _ in range(2))
    assert once == again
    assert titles(once[0]) == [
        "", "Further scores", "Ranks", "Probability of improvement", "Precision and recall",
        "Progress", "Losses", "Sources of variance",
    ]  # fmt: skip
    assert titles(once[1]) == [
        "", "Best score against budget", "Budget, variant by variant",
        "Sensitivity to hyperparameters", "Precision and recall",
        "Precision and recall, variant by variant",
    ]  # fmt: skip
    names = [figure.drawing.name for section in once for figure in section.figures]
    assert len(names) == len(set(names))
    for section in once:
        for figure in section.figures:
            assert colours_of(figure.drawing.svg) <= set(
                VARIABLES
            )  # else it stays light in the dark
            assert b'"nan' not in figure.drawing.svg.lower() and figure.caption.endswith(".")


def test_a_variant_that_was_searched_twice_has_no_split():
    """Under Adam and under RMSProp: neither of the two is the one that was repeated."""
    scores = {"wgan": list(np.exp([0.0, 3.0] * 6))}
    both = [*search(scores), *search(scores, settings=("optimizer=rmsprop",))]
    repeated, space = comparisons(both, seeds({"wgan": list(np.exp([0.0, 1.0] * 5))}))
    assert len(summarise_search(space.main).variants) == 2
    assert variance_shares(summarise_search(space.main), repeated.main) == []
