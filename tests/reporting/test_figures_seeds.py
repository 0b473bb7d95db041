"""The numbers behind the figures over seeds, and what is drawn of them."""

import io
import math
import re

import numpy as np
import pytest
from made import comparisons, search, seeds
from PIL import Image

from bench.plotting.style import VARIABLES, looks_of
from bench.reporting.analysis.bands import band_of
from bench.reporting.analysis.outcomes import improvement_of, outcomes_of, ranks_of
from bench.reporting.analysis.pairs import harmonic
from bench.reporting.analysis.variance import shares_of
from bench.reporting.figures import improvement, progress, ranks, sheet, tradeoff, variance
from bench.reporting.output.pages import TEMPLATES
from bench.reporting.output.sections import sections_of
from bench.reporting.tables.search import search_of

PICTURE = io.BytesIO()
Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(PICTURE, "png")


def colours_of(svg):
    return set(re.findall(r"#[0-9a-f]{6}\b", svg.decode()))


def titles(section):
    return [figure.title for figure in section.figures]


def test_ranks_and_improvement_of_two_variants_without_overlap(made):
    made.seeds("wgan", [float(s) for s in range(1, 11)])
    made.seeds("ns_gan", [float(s) for s in range(11, 21)])
    table = made.comparisons()[0].main
    found = ranks_of(table)
    assert list(found) == ["wgan", "ns_gan"]
    assert [tuple(one) for one in found.values()] == [(1, 1, 1), (2, 2, 2)]
    pairs = improvement_of(table)
    assert pairs.shares.tolist() == [[0.5, 1.0], [0.0, 0.5]]
    assert pairs.sure.tolist() == [[False, True], [True, False]]
    svg = improvement.improvement_plot(table, pairs).svg.decode()
    assert ">1.00<" in svg and ">0.00<" in svg


def test_a_diverged_run_is_worse_than_any_score(made):
    made.seeds("wgan", [1.0, 1.0, 1.0, None, None])
    made.seeds("ns_gan", [2.0, 2.0, 2.0, 2.0, 2.0])
    table = made.comparisons()[0].main
    assert outcomes_of(table)["wgan"] == [1, 1, 1, math.inf, math.inf]
    assert improvement_of(table).shares[0, 1] == pytest.approx(3 / 5)
    assert not improvement_of(table).sure.any()  # five runs bear no interval


def test_nothing_is_ranked_with_one_seed(made):
    for variant in ("wgan", "ns_gan"):
        made.run(variant, 2.0)
    comparison = made.comparisons()[0]
    assert ranks_of(comparison.main) == {} and improvement_of(comparison.main) is None
    assert ranks.ranks_plot(comparison.main, {}, intervals=False) is None
    assert titles(sections_of([comparison])[0]) == ["", "Further scores"]


def test_variance_splits_into_seed_and_hyperparameters(made):
    logs = np.array([0.0, 3.0] * 6)  # variance 9 * 12 / 44 = 27 / 11
    seeds = np.array([0.0, 1.0] * 5)  # variance 10 / 36 = 5 / 18
    made.search("wgan", np.exp(logs).tolist())
    made.seeds("wgan", np.exp(seeds).tolist())
    first, second = made.comparisons()
    (found,) = shares_of(search_of(second.main), first.main)
    assert found.seed == pytest.approx(5 / 18) and found.evaluation is None
    assert found.hyperparameters == pytest.approx(27 / 11 - 5 / 18)
    assert found.total == pytest.approx(27 / 11)
    assert sum(variance.parts_of(found).values()) == pytest.approx(1)


def test_known_noise_of_the_evaluation_is_taken_from_the_seed(made):
    noise = [{"frechet.latent_sd": 0.1 * score} for score in np.exp([0.0, 1.0] * 5)]
    made.search("wgan", np.exp([0.0, 3.0] * 6).tolist())
    made.seeds("wgan", np.exp([0.0, 1.0] * 5).tolist(), details=noise)
    first, second = made.comparisons()
    (found,) = shares_of(search_of(second.main), first.main)
    assert found.evaluation == pytest.approx(0.01)
    assert found.seed == pytest.approx(5 / 18 - 0.01)


def test_few_runs_have_no_split_and_a_study_without_search_no_figure_of_it(made):
    made.search("wgan", [1.0, 2.0, 3.0])
    made.seeds("wgan", [1.0, 2.0, 3.0])
    study = made.comparisons()
    assert shares_of(search_of(study[1].main), study[0].main) == []
    assert variance.variance_plot(study[0].main, []) is None
    assert "Sources of variance" not in titles(sections_of(study)[0])


def test_a_band_ends_where_most_curves_have_ended():
    curves = [
        (np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 3.0])),
        (np.array([1.0, 2.0]), np.array([7.0, 8.0])),
        (np.array([1.0]), np.array([9.0])),
    ]
    found = band_of(curves)
    assert found.steps.tolist() == [1, 2] and found.runs.tolist() == [3, 2]
    assert found.median.tolist() == [7, 6]
    assert found.low.tolist() == [5, 4] and found.high.tolist() == [9, 8]
    assert band_of([]) is None


def test_progress_needs_two_scored_checkpoints(made):
    made.run("wgan", 1.0, history={"frechet": ([10], [4.0])})
    assert progress.progress_plot(made.comparisons()[0].main) is None
    made.run("wgan", 1.0, seed=1, history={"frechet": ([10, 20], [6.0, 2.0])})
    table = made.comparisons()[0].main
    assert progress.bands_of(table)["wgan"].median.tolist() == [5.0, 2.0]
    assert progress.progress_plot(table) is not None


def test_f1_is_the_harmonic_mean_and_0_for_nothing():
    found = harmonic(np.array([0.5, 1.0, 0.0]), np.array([1.0, 1.0, 0.0]))
    assert found == pytest.approx([2 / 3, 1, 0])


def test_a_trade_off_needs_both_scores(made):
    made.metrics = {"precision": "higher"}
    made.run("wgan", 2.0, scores={"precision": 0.5})
    table = made.comparisons()[0].main
    assert tradeoff.both_panels(table, looks_of(["wgan"])) is None
    assert tradeoff.panel_each(table) is None


def test_precision_stands_upward_and_recall_to_the_right(made, monkeypatch):
    for seed in range(3):
        scores = {"precision": 0.25 * seed, "recall": 0.5}
        made.run("wgan", 2.0 + seed, seed=seed, scores=scores)
    made.run("wgan", seed=3)
    made.floor(frechet=1.0, precision=0.9, recall=0.8)
    table = made.comparisons()[0].main
    kept, drawn = [], tradeoff.drawn
    monkeypatch.setattr(
        tradeoff, "render", lambda shape, *args: (kept.append(shape), drawn(shape, *args))[1]
    )
    assert tradeoff.both_panels(table, looks_of(["wgan"])) is not None
    left, right = kept[0].axes
    points = next(line for line in left.lines if line.get_marker() == "o")
    assert points.get_xdata().tolist() == [0.5] * 3
    assert points.get_ydata().tolist() == [0, 0.25, 0.5]
    star = next(line for line in left.lines if line.get_marker() == "*")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0.8, 0.9)
    points = next(line for line in right.lines if line.get_marker() == "o")
    assert points.get_xdata() == pytest.approx([0, 1 / 3, 0.5])
    assert points.get_ydata().tolist() == [2, 3, 4]


def test_the_sheet_pairs_the_median_run_with_the_best(made):
    made.seeds("wgan", [5.0, 3.0, 9.0, 7.0], picture=[PICTURE.getvalue()] * 4)
    table = made.comparisons()[0].main
    median, best = sheet.samples(table)
    assert (median.name, median.score) == ("wgan, median", "Frechet distance 5.00")
    assert (best.name, best.score) == ("wgan, best", "Frechet distance 3.00")
    assert "none chosen by eye" in sheet.rule(table) and "final" not in sheet.rule(table)


def test_the_sheet_says_that_pictures_are_of_the_final_checkpoint(made):
    made.run("wgan", 5.0, checkpoint="best", picture=PICTURE.getvalue())
    table = made.comparisons()[0].main
    assert [picture.name for picture in sheet.samples(table)] == ["wgan"]
    assert "final checkpoint" in sheet.rule(table) and "best one" in sheet.rule(table)


def test_a_contender_looks_the_same_in_every_section_and_in_the_dark(made):
    names = [f"v{n}" for n in range(14)]
    looks = looks_of(names)
    assert len({looks[name] for name in names[:12]}) == 12
    assert looks == looks_of([*names, *reversed(names)])
    css = (TEMPLATES / "page.css").read_text()
    for variable in VARIABLES.values():  # once for light, once for dark
        assert css.count(f"{variable[4:-1]}: #") == 2


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
    made.floor(frechet=1.0, precision=0.9, recall=0.8)
    study = made.comparisons()
    once, again = (sections_of(study) for _ in range(2))
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
    assert len(search_of(space.main).variants) == 2
    assert shares_of(search_of(space.main), repeated.main) == []
