"""Numbers published by the study: shown beside ours, never ranked with them."""

import pytest
from made import comparisons, seeds

from bench.reporting.data.collect import read_stages
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.published import (
    is_published_quantity,
    is_study_method,
    published_scores,
    study_variants,
)
from bench.reporting.tables.summary import summarise
from bench.reporting.text.cells import published_rows


def test_the_table_has_eight_variants_on_four_data_sets():
    cells = {(c.variant, c.dataset): c for c in published_scores()}
    assert len(cells) == len(published_scores()) == 8 * 4
    assert len(study_variants()) == 8
    best = {
        d: min((c for c in published_scores() if c.dataset == d), key=lambda c: c.mean)
        for _, d in cells
    }
    # Section 8.1 of the facts: best per column.
    assert {d: (c.variant, c.mean) for d, c in best.items()} == {
        "mnist": ("wgan", 6.7),
        "fashion_mnist": ("wgan", 21.5),
        "cifar10": ("wgan", 55.2),
        "celeba": ("wgan_gp", 30.0),
    }
    assert {c.variant for c in published_scores() if not c.verified} == {"vae"}


@pytest.mark.parametrize(
    "dataset, texts",
    [("mnist", [("wgan", "6.7 \u00b1 0.4"), ("vae", "23.8 \u00b1 0.6")]), ("digits", [])],
)
def test_published_numbers_stand_beside_the_same_data_set_only(written, dataset, texts):
    for variant, frechet in (("vae", 3), ("wgan", 2), ("mine", 1)):
        written.run(variant, 0, frechet, dataset=dataset)
    (group,) = group_rows(read_stages(written.root, "s")[-1])
    rows = published_rows(summarise(group))
    assert [row[:2] for row in rows] == texts
    assert all("unverified" in source for name, _, _, source in rows if name == "vae")


@pytest.mark.parametrize("extractor, same", [("inception_2015", True), ("mnist_convnet", False)])
def test_only_inception_gives_the_published_quantity(written, extractor, same):
    written.run("wgan", 0, 2, protocol={"extractor": extractor})
    (group,) = group_rows(read_stages(written.root, "s")[-1])
    assert is_published_quantity(group) is same


@pytest.mark.parametrize(
    ("setting", "is_the_studys"),
    [("optimizer=rmsprop", True), ("loss=hinge", False), ("normalisation=spectral", False)],
)
def test_a_variant_with_another_mechanism_is_not_the_studys(setting, is_the_studys):
    (table,) = (c.main for c in comparisons(seeds({"ns_gan": [1.0, 2.0]}, settings=(setting,))))
    (method,) = table.group.methods
    assert is_study_method(method) == is_the_studys
