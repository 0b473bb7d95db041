"""What stands in each figure, read from its axes: numbers at their places, words apart."""

import importlib
import io
import itertools
import pkgutil

import numpy as np
import pytest
from made import comparisons as made_comparisons
from made import grid
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from bench.plotting.style import ACCENT, INK, MUTED, RULE, SECOND, assign_styles
from bench.reporting import figures
from bench.reporting.figures import SectionData, budget, cost, samples
from bench.reporting.figures.figure import SEEDS
from bench.reporting.figures.shared_text import axis_title
from bench.reporting.tables.search import summarise_search

VARIANTS = ("wgan", "ns_gan", "a_variant_of_long_name")
STEPS = [10.0, 20.0, 30.0]
UNTRAINED = {"untrained.frechet": 100.0}


def picture(height=8, width=8):
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width), 128, np.uint8)).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def study(made):
    """Three variants: ten seeds of each, and a search of twelve configurations, one diverged."""
    made.metrics = {"precision": "higher", "recall": "higher"}
    for place, variant in enumerate(VARIANTS):
        values = [float(n + 5 * place) for n in range(1, 13)]
        scores = [{"precision": 0.5, "recall": v / 50} for v in values]
        history = {"frechet": (STEPS, [9.0, 5.0, 4.0]), "d_loss": (STEPS, [3.0, 2.0, 1.0])}
        more = {"scores": scores, "history": [history] * 10, "picture": [picture()] * 10}
        more["facts"] = [{"d_steps": 30, "wall_seconds": 60.0 * (place + 1)}] * 10
        settings = [
            {"learning_rate": 10.0 ** -(1 + n % 5), "d_batch_norm": n % 2 == 0} for n in range(12)
        ]
        if place == 2:
            settings = [one | {"decay": 0.9 + n / 1000} for n, one in enumerate(settings)]
        details = [UNTRAINED] * 12
        made.search(
            variant, [*values[:11], None], scores=scores, details=details, settings=settings
        )
        noise = [{"frechet.latent_sd": 0.5 * v} if place == 0 else {} for v in values]
        made.seeds(variant, values[:10], details=noise, **more)
    made.run("ns_gan", None, seed=10, history={"d_loss": (STEPS[:2], [3.0, 900.0])})
    made.add_real_baseline(frechet=1.0, precision=0.9, recall=0.8)
    return made.comparisons()


def grid_of_three():
    """Return a stage of 3 x 2 x 2 cells of two seeds: level a doubles the score, c triples it."""
    factors = {"a_factor": ("none", "a", "b"), "penalty": ("none", "c"), "norm": ("none", "d")}

    def score(cell, seed):
        return 2.0 ** (cell["a_factor"] == "a") * 3.0 ** (cell["penalty"] == "c") * (1 + seed)

    return grid(factors, score, n=2)


@pytest.fixture
def section_of(study):
    """Return a figure's module and its section of the study, of the seeds or else the search."""

    def find(name):
        module = importlib.import_module(f"{figures.__name__}.{name}")
        if name == "factorial":
            table = made_comparisons(grid_of_three())[0].main
            return module, SectionData(table, assign_styles(m.name for m in table.group.methods))
        repeated, space = (comparison.main for comparison in study)
        search, styles = summarise_search(space), assign_styles(VARIANTS)
        if SEEDS in module.FIGURE.sections:
            return module, SectionData(repeated, styles, source_search=search)
        return module, SectionData(space, styles, shown_search=search)

    return find


@pytest.fixture
def draw(monkeypatch, section_of):
    """Draw a figure of the study; return it and its axes, instead of rendering it."""

    def axes_of(name, method="draw"):
        (module, section), drawn = section_of(name), []
        monkeypatch.setattr(module, "render", lambda fig, name, alt, **_: drawn.append((fig, alt)))
        getattr(module.FIGURE, method)(section)
        ((fig, alt),) = drawn
        assert alt.endswith(".")
        fig.set_label(alt)
        return fig, *fig.axes

    return axes_of


def lines_of(axes, colour, marker="None"):
    """Return the points of the lines of a colour and marker."""
    return [
        line.get_xydata().tolist()
        for line in axes.lines
        if line.get_color() == colour and line.get_marker() == marker
    ]


@pytest.mark.parametrize("name", sorted(
    module.name for module in pkgutil.iter_modules(figures.__path__)
    if module.name not in ("figure", "shared_text", "short_names")
))  # fmt: skip
def test_the_words_of_a_figure_stand_inside_it_and_apart(draw, section_of, name):
    module, section = section_of(name)
    assert module.FIGURE.caption(section).endswith(".")
    fig, *_ = draw(name)
    assert fig.get_size_inches()[0] >= 7 or name == "improvement"  # as wide as its cells
    assert_words_fit(fig)


@pytest.mark.parametrize("name", ["scores", "spread"])
def test_so_do_those_of_a_figure_for_a_telephone(draw, name):
    fig, axes = draw(name, "draw_narrow")
    assert axes.get_xlabel().count("\n") == 1
    assert 3.6 <= fig.get_size_inches()[0] < 5
    assert_words_fit(fig)


def assert_words_fit(fig):
    """Assert that each text lies in the figure, and none on another."""
    FigureCanvasAgg(fig).draw()
    bare = [axes for axes in fig.axes if not axes.axison]
    hidden = {t for a in bare for t in (*a.get_xticklabels(), *a.get_yticklabels())}
    texts = [t for t in fig.findobj(Text) if t.get_visible() and t.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if t not in hidden]
    width, height = fig.canvas.get_width_height()
    for text, box in boxes:
        assert box.x0 > -1 and box.x1 < width + 1 and box.y0 > -1 and box.y1 < height + 1, text
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(overlap) < 3, (one, other)


def test_a_factorial_has_a_panel_for_each_norm_and_a_stroke_at_each_geometric_mean(draw):
    _, plain, _ = draw("factorial")
    strokes = [one for one in lines_of(plain, INK) if len(one) == 2]
    # seeds score 1 and 2 times the cell: geometric mean sqrt(2); the factor of three levels across
    means = [[1, 3], [2, 6], [1, 3]]
    expected = [2**0.5 * value for column in means for value in column]
    assert [one[0][1] for one in strokes] == pytest.approx(expected)
    assert [round(np.mean([x for x, _ in one])) for one in strokes] == [0, 0, 1, 1, 2, 2]


def test_losses_span_those_of_finished_runs_and_a_cross_ends_the_others(draw):
    _, wgan, ns_gan, _ = draw("losses")
    assert wgan.get_ylim() == ns_gan.get_ylim() == pytest.approx((0.9, 3.1))  # 1 to 3, and 5 %
    assert lines_of(wgan, SECOND) == [[[10, 3], [20, 2], [30, 1]]]
    assert [len(lines_of(axes, INK, "x")) for axes in (wgan, ns_gan)] == [0, 1]
    assert lines_of(ns_gan, INK, "x")[0][0][0] == 20


def test_progress_shows_the_median_over_all_medians_in_grey(draw):
    _, *panels = draw("progress")
    curve = [[10, 9], [20, 5], [30, 4]]
    for axes in panels:
        assert lines_of(axes, ACCENT) == [curve]
        assert np.array(lines_of(axes, RULE)[0])[:3].tolist() == curve
        assert axes.get_xlim() == pytest.approx((-1.5, 31.5))


def test_sensitivity_places_a_score_between_the_least_and_the_untrained_one(draw):
    _, rate, norm, own = draw("sensitivity")
    titles = [axes.get_title("left") for axes in (rate, norm, own)]
    assert titles == ["learning rate", "d batch norm", "other"]
    assert rate.get_ylim() == norm.get_ylim() == (3, 0)
    assert [t.get_text() for t in rate.get_xticklabels()] == ["1e-5", "1e-3", "0.1"]
    assert [t.get_text() for t in norm.get_xticklabels()] == ["off", "on"]
    (points,) = [line for line in map(np.array, lines_of(rate, INK)) if line[0, 1] < 1]
    assert points[::3, 0][:5] == pytest.approx([1, 0.75, 0.5, 0.25, 0])  # 10^-1 to 10^-5
    # log 1 stands at 1 - 0.09, and log 100 at 0.36, below the words
    assert points[::3, 1] == pytest.approx(0.91 - 0.55 * np.log(range(1, 12)) / np.log(100))
    assert lines_of(rate, MUTED, "x")[0][0] == pytest.approx([0.75, 0.36])
    # without batch norm: 2, 4, 6, 8, 10 and the untrained 100; with it: 1, 3, 5, 7, 9, 11
    medians = [0.91 - 0.55 * np.log(median) / np.log(100) for median in (7, 6)]
    assert [stroke[0][1] for stroke in lines_of(norm, ACCENT)[:2]] == pytest.approx(medians)
    assert [t.get_text() for t in own.texts] == ["\u03c1 +1.00", "decay\n0.9\u20130.91"]
    words = [t.get_text() for t in rate.texts]
    assert words[-3:] == ["a_variant_of_long_name", "1", "100"] and words[0].startswith("\u03c1")


def test_a_box_spans_the_quartiles(draw):
    _, axes = draw("spread")
    boxes = [patch.get_xy()[:4].tolist() for patch in axes.patches]
    quartiles = [(3.5, 8.5), (8.5, 13.5), (13.5, 18.5)]  # of 1 to 11, 6 to 16, 11 to 21
    for y, ((low, high), box) in enumerate(zip(quartiles, boxes, strict=True)):
        assert box == [[low, y - 0.3], [high, y - 0.3], [high, y + 0.3], [low, y + 0.3]]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["configuration", "chosen", "defaults", "diverged", "median"]


def test_bars_of_variance_fill_the_axis_and_each_part_of_some_size_has_its_number(draw):
    _, axes = draw("variance")
    ends = [patch.get_xy()[:2, 0] for patch in axes.patches]
    for (low, high), following in itertools.zip_longest(ends, ends[1:], fillvalue=(0, 0)):
        assert low <= high and (
            high == following[0] or (high, following[0]) == (pytest.approx(1), 0)
        )
    assert len(ends) == 7  # what the evaluation adds is known of wgan alone
    shown = [text.get_text() for text in axes.texts if text.get_text().endswith("%")]
    parts = [high - low for low, high in ends]
    assert shown == [f"{100 * part:.0f} %" for part in parts if part >= 0.06]
    assert axes.get_xlabel() == "share of the variance of the logarithm of the Frechet distance"
    assert min(parts) == 0  # the scores of ns_gan, of which one diverged, say nothing of settings


def test_a_panel_of_a_budget_has_mean_median_and_band_and_the_others_in_grey(draw):
    _, *panels = draw("budget_panels")
    for place, axes in enumerate(panels):
        assert lines_of(axes, SECOND)[0][0] == [1, 6 + 5 * place]  # the median of single runs
        mean = (sum(range(1, 12)) + 55 * place + 100) / 12
        assert lines_of(axes, ACCENT)[0][0] == pytest.approx([1, mean])
        grey = np.array(lines_of(axes, RULE)[0])
        assert np.isnan(grey[:, 0]).sum() == 3 and grey[0, 1] == pytest.approx((66 + 100) / 12)
        assert axes.get_xscale() == "log"


def test_a_panel_of_precision_and_recall_has_a_cross_at_the_medians(draw):
    _, *panels = draw("precision_recall_panels")
    for place, axes in enumerate(panels):
        assert lines_of(axes, ACCENT, "+")[0][0] == pytest.approx([(6 + 5 * place) / 50, 0.5])
        assert lines_of(axes, SECOND, "*") == [[[0.8, 0.9]]]


def test_the_second_panel_of_precision_and_recall_spans_the_scores(draw):
    _, _, right = draw("precision_recall")
    assert right.get_ylim() == pytest.approx((1 / 20**0.05, 20 * 20**0.05))  # 1 to 20, logarithmic


def test_a_stroke_stands_at_the_mean_and_the_dotted_line_at_real_samples(draw):
    _, axes = draw("scores")
    means = [stroke[0][0] for stroke in lines_of(axes, ACCENT)]
    assert means == [5.5, 10.5, 15.5]
    assert lines_of(axes, SECOND) == [[[1, 0], [1, 1]]]
    assert [t.get_text() for t in axes.texts] == ["real samples 1.00", "", "1 diverged", ""]
    assert axes.get_xlabel() == "Frechet distance (digits_convnet features), lower is better"


def test_the_matrix_of_improvement_has_a_number_in_each_cell_beside_the_diagonal(draw):
    _, axes = draw("improvement")
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 3), (3, 0))
    cells = {t.get_position(): t.get_text() for t in axes.texts if t.get_text()[:1].isdigit()}
    places = [(j + 0.5, i + 0.5) for i in range(3) for j in range(3) if i != j]
    assert list(cells) == places and len(axes.patches) == 6
    # of 10 and 11 runs: 6 to 10 against 6 to 15 and a diverged one
    assert float(cells[1.5, 0.5]) == round(1 - (5 * 4 / 2 + 5 / 2) / 110, 2)


def test_further_scores_stand_side_by_side_beside_one_column_of_names(draw):
    _, first, second = draw("further_scores")
    shown = [axes.yaxis.get_tick_params()["labelleft"] for axes in (first, second)]
    assert shown == [True, False]
    assert [stroke[0][0] for stroke in lines_of(second, ACCENT)] == pytest.approx(
        [0.11, 0.21, 0.31]
    )


def test_ranks_stand_on_whole_numbers_beside_their_groups(draw):
    _, axes = draw("ranks")
    assert [point[0][0] for point in lines_of(axes, ACCENT, "o")] == pytest.approx([1, 2, 3])
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c", "group"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "3"]


def test_a_sheet_has_a_block_of_best_median_and_worst_for_each_variant(draw):
    fig, *sheet = draw("samples")
    assert fig.get_label() == "Samples: wgan, ns_gan and a_variant_of_long_name."
    boxes = [axes.get_position() for axes in sheet]
    assert [len({round(getattr(box, side), 6) for box in boxes}) for side in ("x0", "y0")] == [6, 2]
    words = [text.get_text() for text in fig.texts]
    assert words[:4] == ["wgan", "best 1.0", "median 5.0", "worst 10.0"]


def test_every_pixel_of_a_picture_is_a_square_of_whole_pixels_of_the_sheet(made, all_formats):
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    made.seeds("wgan", [1.0, 2.0, 3.0], picture=[buffer.getvalue()] * 3)
    made.add_real_baseline(frechet=0.5)
    made.real_picture = buffer.getvalue()
    table = made.comparisons()[0].main
    drawing = samples.draw(SectionData(table, assign_styles(["wgan"])))
    with Image.open(io.BytesIO(drawing.png)) as sheet:
        found = np.asarray(sheet.convert("RGB"))
    enlarged = np.repeat(pixels.repeat(30, 0).repeat(30, 1)[..., None], 3, 2)  # to 240 or more
    windows = np.lib.stride_tricks.sliding_window_view(found[..., 0], (1, 240))[:, :, 0]
    rows, columns = np.nonzero((windows == enlarged[0, :, 0]).all(-1))
    corners = [(y, x) for y, x in zip(rows, columns, strict=True) if y + 240 <= len(found)]
    whole = [(y, x) for y, x in corners if (found[y : y + 240, x : x + 240] == enlarged).all()]
    assert len(whole) == 4  # real images, best, median and worst


def test_cost_has_steps_beside_seconds_at_the_pace_of_each_variant(draw):
    _, steps, seconds = draw("cost")
    for place in range(3):
        on_steps, on_seconds = (
            axes.lines[place].get_xydata().tolist() for axes in (steps, seconds)
        )
        assert on_steps == [[10, 9], [20, 5], [30, 4]]
        pace = 2 * (place + 1)  # 60 seconds or a multiple for 30 steps
        assert on_seconds == [[10 * pace, 9], [20 * pace, 5], [30 * pace, 4]]
    assert [axes.get_xlabel() for axes in (steps, seconds)] == list(cost.AXES)


def test_cost_without_checkpoints_has_a_point_for_each_run(made, monkeypatch):
    facts = [{"d_steps": 30, "wall_seconds": seconds} for seconds in (10.0, 20.0)]
    made.seeds("wgan", [3.0, 4.0], facts=facts)
    drawn = []
    monkeypatch.setattr(cost, "render", lambda fig, *text: drawn.append(fig))
    section = SectionData(made.comparisons()[0].main, assign_styles(["wgan"]))
    cost.draw(section)
    (axes,) = drawn[0].axes  # all took the same steps
    assert axes.lines[0].get_xydata().tolist() == [[10, 3], [20, 4]]
    assert "One point per finished run. All took the same steps." in cost.caption(section)
    assert "Function evaluations" not in cost.caption(section)
    for row in section.table.group.rows:
        row.details["sampling.function_evaluations"] = 50.0
    assert cost.caption(section).endswith(" Function evaluations per sample: wgan 50.")


def test_the_title_of_an_axis_says_whether_it_is_logarithmic(study):
    group = study[0].main.group
    plain = "Frechet distance (digits_convnet features), lower is better"
    assert axis_title(group, log=False) == plain
    assert axis_title(group, log=True) == f"{plain}, logarithmic axis"


def test_thirty_names_at_the_ends_of_lines_stand_in_the_figure(made, monkeypatch):
    for n in range(30):
        made.search(f"variant_{n}", [10.0, 5.0])
    table, drawn = made.comparisons()[0].main, []
    monkeypatch.setattr(budget, "render", lambda fig, *text: drawn.append(fig))
    styles = assign_styles(row.name for row in table.rows)
    budget.draw(SectionData(table, styles, shown_search=summarise_search(table)))
    assert_words_fit(drawn[0])
