"""Assess each claim by rows that must give each verdict."""

from dataclasses import replace

import made
import numpy as np
import pytest
from made import claim_outcome, normal, run, search, seeds

from bench.reporting.claims import list_claims
from bench.reporting.claims.claim import NOT, OPEN, PARTLY, REPRODUCED
from bench.reporting.claims.deviations import D_STEPS, SAMPLES, SEEDS
from bench.reporting.tables.published import EXTRACTOR, published_scores, study_variants

LOW, MIDDLE, HIGH = (list(normal(mean, 1, 10)) for mean in (10, 20, 40))


def on(dataset, **scores):
    return seeds(scores, dataset=dataset)


def test_there_are_twelve_claims_of_the_study_and_six_of_ours_with_source_and_rule():
    names = [*(f"C{n}" for n in range(1, 13)), *(f"M{n}" for n in range(1, 7))]
    assert [claim.name for claim in list_claims()] == names
    assert all(claim.text and claim.source and "eproduced" in claim.rule for claim in list_claims())


def test_unrelated_rows_decide_no_claim():
    for claim in list_claims():
        result = claim_outcome(claim.name, seeds({"mine": [1.0], "other": [2.0]}))
        assert result.verdict == OPEN and result.explanation.startswith("Needs "), claim.name


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ((MIDDLE, LOW), (MIDDLE, LOW), NOT),  # WGAN surely better on both
        ((MIDDLE, LOW), (LOW, MIDDLE), REPRODUCED),  # on one only
        ((LOW, MIDDLE), (LOW, MIDDLE), REPRODUCED),
    ],
)
def test_c1(a, b, verdict):
    runs = on("x", ns_gan=a[0], wgan=a[1]) + on("y", ns_gan=b[0], wgan=b[1])
    assert claim_outcome("C1", runs).verdict == verdict


def test_c1_ahead_everywhere_but_surely_on_most_is_partly():
    runs = on("x", ns_gan=MIDDLE, wgan=LOW) + on("y", ns_gan=MIDDLE, wgan=LOW)
    runs += on("z", ns_gan=normal(10.2, 1, 10), wgan=LOW)
    assert claim_outcome("C1", runs).verdict == PARTLY


def test_c1_of_one_data_set_is_open_and_tells_what_it_saw():
    result = claim_outcome("C1", on("x", ns_gan=MIDDLE, wgan=LOW))
    assert result.verdict == OPEN and "wgan (1.00 [1.00, 1.00])" in result.explanation


def test_c2():
    space = search({v: [9, 8] for v in ("a", "b", "c")})
    alike = seeds({"a": LOW, "b": normal(14.9, 1, 10), "c": HIGH})
    apart = seeds({"a": LOW, "b": normal(15.1, 1, 10), "c": HIGH})
    assert claim_outcome("C2", space, alike).verdict == REPRODUCED
    assert "2 of 3" in claim_outcome("C2", space, alike).explanation
    assert claim_outcome("C2", space, apart).verdict == NOT
    elsewhere = [
        search({v: [9, 8] for v in ("a", "b", "c")}, dataset="y"),
        on("y", a=LOW, b=HIGH, c=HIGH),
    ]
    both = claim_outcome("C2", space + elsewhere[0], alike + elsewhere[1])
    assert both.verdict == PARTLY
    assert claim_outcome("C2", alike).verdict == OPEN  # nothing was tuned


WIDE = list(np.geomspace(1, 64, 20))  # quartiles apart by 8 times
NARROW = list(np.linspace(10, 10.5, 20))


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ({"a": WIDE, "b": WIDE, "c": WIDE}, REPRODUCED),
        ({"a": WIDE, "b": WIDE, "c": NARROW}, PARTLY),  # c is clearly stabler
        ({"a": NARROW, "b": NARROW, "c": NARROW}, PARTLY),  # none is stabler, none sensitive
        ({"a": WIDE[:9], "b": WIDE[:9]}, OPEN),
    ],
)
def test_c3(scores, verdict):
    assert claim_outcome("C3", search(scores)).verdict == verdict


def test_c3_with_neither_part():
    """The median variant's quartiles are 1.9 times apart, and one does not vary at all."""
    almost = list(np.geomspace(1, 1.9 ** (19 / 9.5), 20))
    result = claim_outcome("C3", search({"a": almost, "b": almost, "c": [10.0] * 20}))
    assert result.verdict == NOT and "1.9 times" in result.explanation
    assert "clearly more stable: c" in result.explanation


@pytest.mark.parametrize(
    ("good", "bad", "verdict"),
    [
        (WIDE, [1.2 * x for x in WIDE], REPRODUCED),  # five tries of the worse beat one
        ([1.0] * 20, [2.0] * 20, NOT),  # nothing falls, nothing overtakes
        (list(np.geomspace(1, 2, 20)), list(np.geomspace(10, 20, 20)), PARTLY),  # falls alone
    ],
)
def test_c4(good, bad, verdict):
    assert claim_outcome("C4", search({"good": good, "bad": bad})).verdict == verdict


def test_c4_says_the_exact_factor():
    """Of 1 to 20 the expected best of five is 21 / 6 and the mean 21 / 2: three times."""
    scores = list(range(1, 21))
    result = claim_outcome("C4", search({"a": scores, "b": scores}))
    assert "3.0 to 3.0 times" in result.explanation


def test_c4_counts_what_selection_picks_and_not_the_smallest_score():
    """Chosen the wrong way round the score rises with the budget: nothing falls."""
    runs = [
        run(v, score, sample=n, details={"selection.frechet": 30.0 - score})
        for v in ("a", "b")
        for n, score in enumerate(range(1, 21))
    ]
    result = claim_outcome("C4", runs)
    assert result.verdict == NOT and "0.6 to 0.6 times" in result.explanation


@pytest.mark.parametrize(
    ("x", "y", "verdict"),
    [
        ((LOW, HIGH), (HIGH, LOW), REPRODUCED),
        ((LOW, HIGH), (LOW, HIGH), NOT),
        ((LOW, normal(10.1, 1, 10)), (normal(10.1, 1, 10), LOW), PARTLY),
    ],
)
def test_c5(x, y, verdict):
    runs = on("x", a=x[0], b=x[1]) + on("y", a=y[0], b=y[1])
    assert claim_outcome("C5", runs).verdict == verdict
    assert claim_outcome("C5", on("x", a=LOW, b=HIGH)).verdict == OPEN


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (LOW, HIGH, NOT),
        (normal(10, 1, 10), normal(10.5, 1, 10), PARTLY),  # the order alone
        ([*LOW[:9], 200.0], normal(1000, 1, 10), PARTLY),  # an outlier alone
        ([*normal(10, 1, 9), 25.0], normal(11, 1, 10), REPRODUCED),
        ([*normal(10, 1, 9), None], normal(11, 1, 10), REPRODUCED),  # diverged
    ],
)
def test_c6(a, b, verdict):
    assert claim_outcome("C6", seeds({"a": a, "b": b})).verdict == verdict


@pytest.mark.parametrize(
    ("vae", "verdict"), [(HIGH, REPRODUCED), (normal(30, 1, 10), PARTLY), (LOW, NOT)]
)
def test_c7(vae, verdict):
    scores = {"ns_gan": LOW, "wgan": LOW, "lsgan": MIDDLE, "began": list(normal(35, 1, 10))}
    if verdict == REPRODUCED:
        scores["began"] = MIDDLE
    result = claim_outcome("C7", seeds(scores) + seeds({"vae": vae}, model="vae"))
    assert result.verdict == verdict


@pytest.mark.parametrize(("sd", "verdict"), [(0.1, REPRODUCED), (0.3, NOT)])
def test_c8(sd, verdict):
    fid = {"extractor": "inception_2015", "n_fake": 10_000}
    noise = {"frechet.latent_sd": sd}
    runs = seeds({"a": [10.0, 10.0], "b": [10.0]}, protocol=fid, details=noise)
    assert claim_outcome("C8", runs).verdict == verdict
    other = claim_outcome("C8", seeds({"a": [10.0], "b": [10.0]}, details=noise))
    assert other.verdict == OPEN and f"{sd / 10:.1%}" in other.explanation


@pytest.mark.parametrize(
    ("f1", "verdict"),
    [
        ({"ns_gan": 0.8, "wgan": 0.7, "a": 0.2, "b": 0.1}, REPRODUCED),
        ({"ns_gan": 0.1, "wgan": 0.7, "a": 0.2, "b": 0.3}, PARTLY),  # ns_gan is last
        ({"ns_gan": 0.3, "wgan": 0.7, "a": 0.4, "b": 0.2, "c": 0.1}, REPRODUCED),  # third of five
        ({"ns_gan": 0.6, "wgan": 0.7, "a": 0.8, "b": 0.9}, NOT),
        ({"ns_gan": 0.6, "a": 0.8, "b": 0.9}, OPEN),
    ],
)
def test_c9(f1, verdict):
    runs = [run(variant, value, metric="polygon_f1") for variant, value in f1.items()]
    assert claim_outcome("C9", runs).verdict == verdict


@pytest.mark.parametrize(("default", "verdict"), [(12.6, REPRODUCED), (12.4, NOT)])
def test_c10(default, verdict):
    scores = {v: [default, *range(10, 20)] for v in ("a", "b", "c")}
    result = claim_outcome("C10", search(scores))
    assert result.verdict == verdict and f"{default / 10:.1f} times" in result.explanation
    elsewhere = search({v: [10, *range(10, 20)] for v in ("a", "b", "c")}, dataset="y")
    both = claim_outcome("C10", search(scores) + elsewhere)
    assert both.verdict == (PARTLY if verdict == REPRODUCED else NOT)


def test_c10_a_default_that_diverged_counts_as_untrained():
    runs = search({"a": [None, *range(10, 20)], "b": [99, *range(10, 20)]})
    assert (
        "a 9.9" in claim_outcome("C10", runs).explanation
        or "b 9.9" in claim_outcome("C10", runs).explanation
    )
    assert claim_outcome("C10", runs).verdict == REPRODUCED


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, REPRODUCED), (1.6, PARTLY), (100, NOT)])
def test_c11(factor, verdict):
    adam = search({"wgan": WIDE, "ns_gan": WIDE})
    rmsprop = search({"wgan": [factor * x for x in WIDE]}, settings=("optimizer=rmsprop",))
    assert claim_outcome("C11", adam + rmsprop).verdict == verdict
    assert claim_outcome("C11", adam).verdict == OPEN


@pytest.mark.parametrize(
    ("order", "verdict"),
    [((1, 2, 3, 4), NOT), ((1, 3, 2, 4), PARTLY), ((4, 3, 2, 1), REPRODUCED)],
)
def test_c12(order, verdict):
    names = ("a", "b", "c", "d")
    first = seeds({v: [float(i)] for i, v in enumerate(names)}, settings=("network=infogan",))
    second = seeds(
        {v: [float(i)] for i, v in zip(order, names, strict=True)},
        settings=("network=dcgan",),
        network="dcgan",
    )
    assert claim_outcome("C12", first + second).verdict == verdict


def test_the_studys_own_numbers():
    """50 scores of each published mean and spread: what the rules say of the study itself."""
    runs = []
    for cell in published_scores():
        scores = normal(cell.mean, cell.sd, 50)
        model = "vae" if cell.variant == "vae" else "gan"
        runs += seeds({cell.variant: np.abs(scores)}, dataset=cell.dataset, model=model)
    datasets = {cell.dataset for cell in published_scores()}
    variants = {cell.variant for cell in published_scores()}
    space = [r for d in datasets for r in search({v: [2, 1] for v in variants}, dataset=d)]
    comparisons = made.comparisons(space, runs)
    result = {j.name: j.verdict for j in made.assess_claims(comparisons)}
    assert (result["C1"], result["C2"], result["C5"]) == (PARTLY, REPRODUCED, REPRODUCED)
    assert result["C7"] == REPRODUCED


def test_another_row_gives_another_verdict():
    scores = {"a": LOW, "b": HIGH}
    assert claim_outcome("C6", seeds(scores)).verdict == NOT
    assert claim_outcome("C6", seeds({**scores, "a": [*LOW[:9], 99.0]})).verdict == REPRODUCED


def test_deviations_name_what_differs():
    result = claim_outcome("C1", seeds({"ns_gan": LOW, "mine": LOW})).deviations
    assert "data sets that the study does not have: digits" in result
    assert "10 seeds, not 50" in result and "2,000 generated samples, not 10,000" in result
    assert "features of digits_convnet, not of Inception" in result
    assert "variants beside the study's: mine" in result
    assert "40 discriminator steps" in result


def test_c1_a_rival_with_two_settings_is_one_rival():
    more = {"settings": ("network=dcgan",), "network": "dcgan"}
    runs = on("x", ns_gan=MIDDLE, wgan=LOW) + on("y", ns_gan=MIDDLE, wgan=LOW)
    runs += seeds({"wgan": HIGH}, dataset="x", **more) + seeds({"wgan": HIGH}, dataset="y", **more)
    assert claim_outcome("C1", runs).verdict == NOT
    once = on("x", ns_gan=MIDDLE, wgan=LOW) + seeds({"wgan": LOW}, dataset="x", **more)
    assert claim_outcome("C1", once + on("y", ns_gan=MIDDLE, lsgan=HIGH)).verdict == REPRODUCED


def test_c2_counts_gans_that_diverged():
    """Two of five are alike; the other three diverged in every run, or in all but one."""
    space = search({v: [90, 80] for v in "abcde"})
    lost = [None] * 10
    result = claim_outcome(
        "C2", space, seeds({"a": LOW, "b": LOW, "c": lost, "d": lost, "e": lost})
    )
    assert result.verdict == NOT and "2 of 5" in result.explanation
    assert claim_outcome("C2", space, seeds(dict.fromkeys("abc", lost))).verdict == OPEN
    most = [LOW[0], *[None] * 9]
    result = claim_outcome(
        "C2", space, seeds({"a": LOW, "b": LOW, "c": most, "d": most, "e": most})
    )
    assert result.verdict == NOT and "2 of 5" in result.explanation


def test_c2_a_classical_model_is_no_gan():
    """LDA scores best; were it a GAN, only one of four would be similar to it."""
    space = search({v: [90, 80] for v in "abc"})
    gans = seeds({"a": MIDDLE, "b": MIDDLE, "c": HIGH})
    lda = search({"lda": [5, 4]}, model="lda"), seeds({"lda": normal(5, 1, 10)}, model="lda")
    result = claim_outcome("C2", space + lda[0], gans + lda[1])
    assert result.verdict == REPRODUCED and "2 of 3" in result.explanation


def test_c3_what_always_diverges_is_not_stable():
    rest = {v: [2.0**i for i in range(12)] for v in ("a", "b", "c")}
    for lost in ([None] * 12, [1.0, 2.0, *[None] * 10]):
        result = claim_outcome("C3", search({**rest, "d": lost}))
        assert (
            result.verdict == REPRODUCED
            and "no variant is clearly more stable" in result.explanation
        )


@pytest.mark.parametrize("claim", ["C3", "C4", "C10"])
def test_scores_of_zero_divide_nothing(claim):
    scores = search({"a": [0.0] * 12, "b": [0.0, *range(1, 12)]})
    assert "nan" not in claim_outcome(claim, scores).explanation
    lost = search({"a": [None] * 12, "b": [None] * 12})
    assert claim_outcome(claim, lost).verdict == OPEN


def test_c5_the_first_by_mean_of_the_few_that_finished_is_not_the_first():
    """a diverged in nine of ten runs; b is significantly better, on both data sets."""
    lucky = [1.0, *[None] * 9]
    runs = on("x", a=lucky, b=LOW, c=HIGH) + on("y", a=lucky, b=LOW, c=HIGH)
    result = claim_outcome("C5", runs)
    assert result.verdict == NOT and "b comes first" in result.explanation


def test_c6_diverged_runs_are_outliers_however_many():
    """Six of ten: the median itself is then that of a diverged run."""
    result = claim_outcome("C6", seeds({"a": [*LOW[:4], *[None] * 6], "b": HIGH}))
    assert "6 of 20 runs diverged" in result.explanation
    assert claim_outcome("C6", seeds({"a": [None] * 10, "b": [None] * 10})).verdict == OPEN


def test_c9_a_variant_that_diverged_reached_nothing():
    f1 = {"ns_gan": 0.8, "wgan": 0.7, "a": 0.2, "b": None}
    runs = [run(variant, value, metric="polygon_f1") for variant, value in f1.items()]
    assert claim_outcome("C9", runs).verdict == REPRODUCED


def test_c11_waits_for_both_searches():
    adam = [replace(r, status="missing", rows=()) for r in search({"wgan": WIDE})]
    rmsprop = search({"wgan": WIDE}, settings=("optimizer=rmsprop",))
    assert claim_outcome("C11", adam + rmsprop).verdict == OPEN


def test_c1_and_c5_wait_for_a_second_contender():
    alone = on("x", ns_gan=MIDDLE) + on("y", ns_gan=MIDDLE)
    assert claim_outcome("C5", alone).verdict == OPEN
    strangers = on("x", ns_gan=MIDDLE, mine=HIGH) + on("y", ns_gan=MIDDLE, mine=HIGH)
    assert claim_outcome("C1", strangers).verdict == OPEN


def test_c11_counts_a_better_rmsprop_as_a_difference_too():
    adam = search({"wgan": WIDE})
    rmsprop = search({"wgan": [x / 1000 for x in WIDE]}, settings=("optimizer=rmsprop",))
    assert claim_outcome("C11", adam + rmsprop).verdict == NOT


def test_c3_passes_over_a_data_set_of_few_configurations():
    few = search({"a": WIDE[:9], "b": WIDE[:9]}, dataset="few")
    assert claim_outcome("C3", few + search({"a": WIDE, "b": WIDE})).verdict == REPRODUCED


def test_c4_waits_for_ten_configurations():
    assert claim_outcome("C4", search({"a": WIDE[:9], "b": WIDE[:9]})).verdict == OPEN


def test_no_deviation_is_told_where_there_is_none():
    """Every variant of the study, on its data, under its protocol, for as many steps and seeds."""
    protocol = {"extractor": EXTRACTOR, "n_fake": SAMPLES, "chosen": {"by": "frechet"}}
    runs = [
        replace(r, facts={"d_steps": D_STEPS[dataset]})
        for dataset in D_STEPS
        for r in seeds(
            {v: [1.0] * SEEDS for v in study_variants()}, dataset=dataset, protocol=protocol
        )
    ]
    assert claim_outcome("C1", runs).deviations == ()
