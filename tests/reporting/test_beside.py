"""Texts beside the scores: real baselines, noise, copies, and why tables are not comparable."""

from bench.reporting.data.collect import read_stages
from bench.reporting.report import collect_stages, write_report
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.summary import summarise
from bench.reporting.text import cells, words


def tables_of(written):
    return [summarise(group) for group in group_rows(read_stages(written.root, "s")[-1])]


def test_real_baselines_stand_below_the_methods(written, tmp_path):
    written.run("wgan", 0, 2)
    written.add_real_baseline(0.25, prior=None, n_fake=1297)
    written.add_split_half(0.5, 648)
    (table,) = tables_of(written)
    assert table.real_baseline["frechet"].mean == 0.25 and table.split_half["frechet"].mean == 0.5
    rows = cells.score_rows(table)
    assert [row.variant for row in rows] == ["wgan", "real", "real_halves"]
    assert rows[2].name == "real (train vs itself, 648 each)"
    assert [score.mean for score in rows[2].scores] == ["0.500", "\u2013"]
    report = write_report(collect_stages(written.root, "s"), tmp_path / "report")
    text = (report.folder / "report.md").read_text()
    assert "*real (train vs itself, 648 each)*, bias" in text
    assert "real_halves" in (report.folder / "rows.csv").read_text()


def test_noise_over_latent_seeds_stands_beside_that_over_training_seeds(written):
    """wgan: 2 and 4, sd sqrt 2; ns_gan 5 and 7, the same; latent spreads 0.1, 0.2, 0.3, 0.4."""
    for index, (variant, seed, frechet) in enumerate(
        (("wgan", 0, 2), ("wgan", 1, 4), ("ns_gan", 0, 5), ("ns_gan", 1, 7))
    ):
        written.run(variant, seed, frechet, details={"frechet.latent_sd": 0.1 * (index + 1)})
    (table,) = tables_of(written)
    assert cells.noise_rows(table) == [("frechet", "1.4", "0.25")]


def test_a_standard_deviation_of_zero_counts(written):
    for seed in (0, 1):
        written.run("wgan", seed, 2, details={"frechet.latent_sd": 0.0})
        written.run("ns_gan", seed, 2, details={"frechet.latent_sd": 0.0})
        written.run("mm_gan", seed, 2 + seed, details={"frechet.latent_sd": 0.0})
    (table,) = tables_of(written)
    assert cells.noise_rows(table) == [("frechet", "0", "0")]


def test_settings_of_metrics_are_formatted_with_their_values():
    measures = {"prdc": {"k": 5, "strict": False}, "classes": {}, "score": {"splits": None}}
    assert (
        words.format_value(measures) == "prdc (k (5), strict (no)), classes, score (splits (none))"
    )


def test_runs_that_copy_training_images_are_counted(written):
    written.run("wgan", 0, 2, details={"memorised.excess_low": 0.1})
    written.run("wgan", 1, 2, details={"memorised.excess_low": -0.1})
    written.run("ns_gan", 0, 2, details={"memorised.excess_low": 0.0})
    (table,) = tables_of(written)
    assert cells.copying_methods(table) == ["wgan (1 of 2 runs)"]


def test_tables_of_one_data_set_name_their_differences(written, tmp_path):
    run = written.run("wgan", 0, 2)
    written.score(run, "wgan", 0, 3, protocol={"n_fake": 100})
    written.score(run, "wgan", 0, 1, checkpoint="best", protocol={"chosen": {"split": "train"}})
    groups = [table.group for table in tables_of(written)]
    notes = words.comparability_notes(groups)
    assert sorted(note.partition(": ")[2] for note in notes.values()) == [
        "",
        "they differ in checkpoint (best, final) and choice of the checkpoint.",
        "they differ in checkpoint (best, final), choice of the checkpoint and number of generated "
        "samples (2000, 100).",
    ]
    report = write_report(collect_stages(written.root, "s"), tmp_path / "report")
    assert "Do not compare it with" in report.page.read_text()
    assert "Do not compare it with" in (report.folder / "report.md").read_text()
