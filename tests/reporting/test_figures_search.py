"""Numbers behind the figures of a search, and what is drawn of them."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from made import comparisons, search, seeds

from bench import stats
from bench.plotting.style import assign_styles
from bench.reporting.analysis.budget_curves import (
    budget_sizes,
    compute_budget_curve,
    compute_budget_curves,
)
from bench.reporting.analysis.effects import hyperparameter_effects, prefers_log_axis
from bench.reporting.data.records import StageRecord
from bench.reporting.figures import SectionData, budget, sensitivity, spread
from bench.reporting.output.sections import draw_sections
from bench.reporting.tables.search import summarise_search
from bench.reporting.text.words import stage_title

UNTRAINED = {"untrained.frechet": 100.0}


def searched(made, variant="wgan"):
    search = summarise_search(made.comparisons()[0].main)
    return search, next(one for one in search.variants if one.variant == variant)


def section_of(search, styles=None):
    return SectionData(search.table, styles or {}, shown_search=search)


def selected(values):
    return [{} if value is None else {"selection.frechet": float(value)} for value in values]


def drawn_figures(monkeypatch, module):
    """Return a list to which figures that a module draws are added before they are rendered."""
    figures, render = [], module.render

    def keep(fig, *args, **more):
        figures.append(fig)
        return render(fig, *args, **more)

    monkeypatch.setattr(module, "render", keep)
    return figures


def test_without_another_choice_the_budget_is_the_expected_best(made):
    scores = [7.0, 3.0, 9.0, 4.0, 5.0]
    made.search("wgan", scores)
    curve = compute_budget_curve(searched(made)[1])
    assert curve.mean == pytest.approx(stats.expected_best(scores, [1, 2, 3, 4, 5]))
    assert curve.mean[[0, -1]] == pytest.approx([28 / 5, 3.0])
    # of the ten pairs four hold 3, three more 4, two more 5, one more 7
    assert curve.mean[1] == pytest.approx((4 * 3 + 3 * 4 + 2 * 5 + 7) / 10)
    assert curve.quantiles[1].tolist() == [3.0, 4.0, 5.0]


def test_what_selects_is_not_what_is_reported(made):
    made.search("wgan", [8.0, 2.0, 5.0], details=selected([1.0, 3.0, 2.0]))
    search, one = searched(made)
    # choice in the order 8, 5, 2: of the three pairs two hold the first
    assert compute_budget_curve(one).mean == pytest.approx([5.0, (8 + 8 + 5) / 3, 8.0])
    assert "another split" in budget.caption(section_of(search))


def test_a_configuration_that_diverged_costs_budget_as_the_untrained_generator(made):
    details = [{}, {}, UNTRAINED, {}]
    made.search("wgan", [4.0, 6.0, None, 10.0], details=details)
    search, one = searched(made)
    assert not search.untrained_estimated and "as it was not scored" not in budget.caption(
        section_of(search)
    )
    curve = compute_budget_curve(one)
    assert curve.mean[0] == pytest.approx((4 + 6 + 100 + 10) / 4)
    pairs = [4] * 3 + [6] * 2 + [10]
    assert curve.mean[1] == pytest.approx(sum(pairs) / comb(4, 2))


def test_an_untrained_generator_that_was_not_scored_is_said(made):
    made.search("wgan", [4.0, None])
    search, one = searched(made)
    assert search.untrained_estimated and compute_budget_curve(one).mean[0] == pytest.approx(4.0)
    assert "which was not scored" in budget.caption(section_of(search))


def test_intervals_end_where_they_are_no_longer_trusted(made):
    scores = [float(s) for s in range(1, 26)]
    made.search("wgan", scores)
    curve = compute_budget_curve(searched(made)[1])
    assert curve.trusted == 5 and curve.intervals.shape == (5, 2)
    low, high = curve.intervals.T
    assert (low < curve.mean[:5]).all() and (curve.mean[:5] < high).all()
    # the mean of 25 scores of variance 52 has a standard error of 1.44
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * np.sqrt(52 / 25), rel=0.05)
    # with replacement a budget of n misses the best in (1 - 1/n)^n of the searches
    best = 1 + sum((1 - k / 25) ** 25 for k in range(1, 25))
    assert curve.resampled[-1] == pytest.approx(best, abs=0.05)


def test_budgets_are_whole_numbers_up_to_all_configurations():
    assert budget_sizes(1).tolist() == [1] and budget_sizes(5).tolist() == [1, 2, 3, 4, 5]
    assert budget_sizes(100)[[0, 23, -1]].tolist() == [1, 24, 100] and len(budget_sizes(100)) < 50


def test_the_budget_figure_draws_the_means(made, monkeypatch):
    made.search("wgan", [8.0, 2.0, 5.0])
    made.search("ns_gan", [800.0, 200.0, 500.0])
    search, _ = searched(made)
    figures = drawn_figures(monkeypatch, budget)
    styles = assign_styles(["wgan", "ns_gan"])
    assert budget.draw(section_of(search, styles)) is not None
    (axes,) = figures[0].axes
    lines = {line.get_color(): line for line in axes.lines if len(line.get_xdata()) == 3}
    assert lines[styles["wgan"].colour].get_ydata() == pytest.approx([5.0, 3.0, 2.0])
    assert axes.get_xscale() == axes.get_yscale() == "log"  # 500 to 2 is more than LOG_RATIO
    assert {text.get_text() for text in axes.texts} == {"wgan", "ns_gan"}


def test_one_configuration_has_no_budget_and_a_search_without_score_no_figure(made):
    made.search("wgan", [None, None, None])
    made.search("ns_gan", [None, None])
    search, one = searched(made)
    assert section_of(search).kind == "unscored search"
    assert np.isfinite(compute_budget_curve(one).mean).all()
    section = draw_sections(made.comparisons()[:1])[0]
    assert section.figures[0].drawing.name.endswith("frechet")
    for figure in section.figures:
        assert b"nan" not in figure.drawing.svg.lower().replace(b"dominant", b"")


def test_spread_shows_every_configuration_and_counts_what_diverged(made, monkeypatch):
    made.search("wgan", [4.0, 6.0, None, 10.0])
    made.search("ns_gan", [5.0, None, None, 1.0])
    figures = drawn_figures(monkeypatch, spread)
    search, _ = searched(made)
    drawing = spread.draw(section_of(search))
    (axes,) = figures[0].axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["ns_gan", "wgan"]
    assert "2 of 4 diverged" in drawing.svg.decode() and "1 of 4 diverged" in drawing.svg.decode()
    stars = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "*"]
    assert stars == [5.0, 4.0]  # sample 0 of each
    rings = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert rings == [1.0, 4.0]
    assert [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "x"] == [0, 1]


def test_a_monotone_hyperparameter_has_a_rank_correlation_of_one(made):
    rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    settings = [
        {"learning_rate": r, "beta1": 0.5, "n_dis": n}
        for r, n in zip(rates, (1, 5, 1, 5, 1), strict=True)
    ]
    made.search("wgan", [9.0, 7.0, 5.0, 3.0, 1.0], settings=settings)
    effects = hyperparameter_effects(searched(made)[0])["wgan"]
    assert set(effects) == {"learning_rate", "n_dis"}  # beta1 was not varied
    assert effects["learning_rate"].rho == pytest.approx(-1) and effects["learning_rate"].p < 0.05
    assert effects["n_dis"].labels == ("1", "5") and effects["n_dis"].rho is None
    assert effects["n_dis"].medians == [5.0, 5.0]


def test_a_diverged_configuration_stands_at_the_untrained_score(made):
    made.search("wgan", [9.0, None, 5.0], details=[{}, UNTRAINED, {}])
    effect = hyperparameter_effects(searched(made)[0])["wgan"]["learning_rate"]
    assert effect.scores.tolist() == [9.0, 100.0, 5.0]
    assert effect.diverged.tolist() == [False, True, False]
    assert effect.labels == ("0.001", "0.01", "0.1")


@pytest.mark.parametrize(
    "values, log",
    [
        (10.0 ** np.linspace(-5, -2, 21), True),
        (np.linspace(0.01, 1, 21), False),
        (np.linspace(0, 1, 21), False),
        ([2.0, 2.0], False),
        ([], False),
    ],
)
def test_an_axis_is_logarithmic_where_values_lie_evenly_on_it(values, log):
    assert prefers_log_axis(values) is log


def test_hyperparameters_of_few_variants_get_no_column_of_their_own():
    effects = {"a": {"x": 1, "y": 1}, "b": {"x": 1, "z": 1}, "c": {"x": 1}, "d": {"x": 1, "y": 1}}
    shared, own = sensitivity.split_columns(effects)
    assert shared == ["x", "y"] and own == {"a": [], "b": ["z"], "c": [], "d": []}


def test_a_variant_of_which_nothing_ended_has_no_curve():
    planned = [replace(run, status="missing", rows=()) for run in search({"b": [1.0, 2.0]})]
    table = comparisons(search({"a": [1.0, 2.0]}) + planned)[0].main
    assert [curve.variant for curve in compute_budget_curves(summarise_search(table))] == ["a"]


def test_a_section_is_titled_by_what_its_stage_compares():
    runs = (*seeds({"a": [1.0, 2.0]}),)
    titles = [stage_title(StageRecord("s", "c", name, runs, ())) for name in ("all", "seeds")]
    assert titles == ["all runs", "seeds"]
    assert (
        stage_title(StageRecord("s", "c", "x", (*search({"a": [1.0, 2.0]}),), ())) == "the search"
    )
