"""`bench score --images`: anybody's images against a data set, other images or statistics."""

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from bench.commands.cli import main
from bench.config import build
from bench.core.errors import UserError
from bench.evaluation.external_images import score_images
from bench.evaluation.real_baselines import real_vs_real
from bench.training.job import prepare_job

DIGITS = "features=digits_convnet"


def write(folder, images):
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:04d}.png")
    return folder


@pytest.fixture
def grey():
    """The embedded digits, uint8 [1797, 8, 8]."""
    return np.rint(load_digits().images * (255 / 16)).astype(np.uint8)


def test_training_images_in_a_folder_score_as_the_real_baseline(tiny, tmp_path):
    """The real baseline of the same protocol, in batches of another size."""
    cfg = build.compose_config(tiny("score=images", "score.n_fake=500", "score.n_real=null"))
    evaluator = prepare_job(cfg).evaluator
    train = evaluator.real_features.splits["train"].samples[:500]
    folder = write(tmp_path / "images", train[:, 0])
    overrides = [f"runs_root={tmp_path / 'runs'}"]
    found = score_images(folder, "dataset=digits", overrides, None)
    assert found.scores == pytest.approx(real_vs_real(evaluator)[1], rel=1e-6)
    assert found.protocol["dataset"] == "digits" and found.protocol["n_fake"] == 500
    assert [variant for variant, *_ in found.baselines] == ["real", "real_halves"]


def test_grey_stored_as_colour_is_converted_on_demand_and_the_protocol_says_so(
    tmp_path, grey, run_command
):
    colour = write(tmp_path / "a", np.repeat(grey[:100, ..., None], 3, axis=-1))
    write(tmp_path / "b", grey[:100])
    few = f"--reference dataset=digits --bare score.n_real=100 runs_root={tmp_path / 'runs'}"
    done = run_command(main, "score", "--images", str(colour), *few.split())
    assert done.returncode == 2 and "takes grey images; those of" in done.stderr
    assert "add --convert grey" in done.stderr
    found = []
    for words in ("a --convert grey", "b"):
        line = f"score --images {words} --json - {few}"
        found += json.loads(run_command(main, *line.split()).stdout)
    assert found[0]["protocol"] == {**found[1]["protocol"], "converted": "grey"}
    assert found[0]["scores"] == found[1]["scores"]
    done = run_command(main, *["score", "--images", "a", "--convert", "grey"], *few.split())
    assert "images converted to grey" in " ".join(done.stdout.split())
    done = run_command(main, *["score", "--images", "a", "--convert", "gray"], *few.split())
    assert done.returncode == 2 and "--convert is 'gray'" in done.stderr


def test_a_converted_folder_stands_in_the_protocol_of_its_runs(tmp_path, tiny):
    folder = write(tmp_path / "images", np.full((60, 8, 8, 3), 99, np.uint8))
    words = ("dataset=images", f"dataset.root={folder}", "dataset.shape=[1,8,8]", "score=images")
    words = (*words, "features=digits_convnet", "score.n_fake=2", "score.n_real=2", "batch_size=8")
    for convert, stated in (("null", {}), ("grey", {"real_converted": "grey"})):
        cfg = build.compose_config(
            tiny(*words, f"dataset.source.convert={convert}", "~score.metrics.prdc")
        )
        protocol = prepare_job(cfg).evaluator.describe_protocol({})
        assert {k: v for k, v in protocol.items() if k == "real_converted"} == stated


def test_folder_npz_and_statistics_agree(tmp_path, grey):
    ours, theirs = write(tmp_path / "a", grey[:400]), write(tmp_path / "b", grey[400:900])
    np.savez(tmp_path / "a.npz", images=grey[:400])
    np.savez(tmp_path / "floats.npz", images=(grey[:400] / 255).astype(np.float32))
    whole = score_images(ours, str(theirs), [DIGITS], None)
    for file in ("a.npz", "floats.npz"):
        again = score_images(tmp_path / file, str(theirs), [DIGITS], None)
        assert again.scores == pytest.approx(whole.scores, rel=1e-6)
    statistics = tmp_path / "theirs.npz"
    assert score_images(theirs, None, [DIGITS], statistics) is None
    known = score_images(ours, str(statistics), [DIGITS], None)
    assert known.scores["frechet"] == pytest.approx(whole.scores["frechet"], rel=1e-9)
    assert known.scores["inception_score"] == pytest.approx(whole.scores["inception_score"])
    assert known.protocol["n_real"] == 500 and "precision" not in known.scores


def test_statistics_are_known_by_their_content(tmp_path, grey):
    ours = write(tmp_path / "a", grey[:300])
    assert score_images(ours, None, [DIGITS], tmp_path / "sx") is None
    assert score_images(ours, str(tmp_path / "sx"), [DIGITS], None).scores["frechet"] < 1e-6
    np.savez(tmp_path / "b.npz", mean=np.zeros(3), cov=np.eye(3))
    with pytest.raises(
        UserError, match=r"no statistics mu and sigma \(it has cov, mean\)"
    ) as error:
        score_images(ours, str(tmp_path / "b.npz"), [DIGITS], None)
    assert "numpy.savez(FILE, mu=mean, sigma=covariance)" in error.value.fix


def test_names_of_the_files_do_not_matter(tmp_path, grey):
    ours, theirs = write(tmp_path / "a", grey[:300]), write(tmp_path / "b", grey[300:600])
    mixed = write(tmp_path / "c", np.random.default_rng(0).permutation(grey[:300]))
    scores = [score_images(f, str(theirs), [DIGITS], None).scores for f in (ours, mixed)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-9)


def test_a_protocol_that_asks_for_fewer_takes_a_random_part(tmp_path, grey):
    order = np.argsort(load_digits().target, kind="stable")  # sorted by class, as folders are
    ours = write(tmp_path / "a", grey[order])
    overrides = [f"runs_root={tmp_path}", "score.n_fake=500"]
    found = score_images(ours, "dataset=digits", overrides, None)
    assert found.protocol["n_fake"] == 500
    assert found.scores["inception_score"] > 9  # all ten classes; the first 500 would be three


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["score.n_fake=5000"], "holds 300 images, score.n_fake of 'images' asks for 5,000"),
        (["score.metrics.prdc.k=300"], "prdc takes 301 samples"),
        (["features=mnist_convnet"], "takes samples of shape"),
        (["features=nonesuch"], "no features 'nonesuch'"),
        (["features=inception_2015", "features.weights=nowhere.pth"], "no file nowhere.pth"),
        (["score.metrics.prdc.q=3"], "there is no key 'score.metrics.prdc.q'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path, grey, overrides, said):
    folder = write(tmp_path / "a", grey[:300])
    given = [f"runs_root={tmp_path / 'runs'}", *overrides]
    with pytest.raises(UserError, match=said):
        score_images(folder, "dataset=digits", given, tmp_path / "never.npz")
    assert not (tmp_path / "never.npz").exists()
    assert not list((tmp_path / "runs").glob("references/*"))


def test_features_without_spread_have_a_distance_and_nothing_breaks(tmp_path, grey):
    same = write(tmp_path / "a", np.repeat(grey[:1], 50, axis=0))
    found = score_images(same, "dataset=digits", [f"runs_root={tmp_path}"], None)
    assert found.scores["frechet"] > 100 and found.scores["inception_score"] == pytest.approx(1)
    assert found.scores["recall"] == 0


def test_the_reference_too_can_be_a_part_and_is_told_apart_by_what_it_shows(tmp_path, grey):
    ours, theirs = write(tmp_path / "a", grey[:300]), write(tmp_path / "b", grey[300:900])
    part = score_images(ours, str(theirs), [DIGITS, "score.n_real=200"], None)
    assert part.protocol["n_real"] == 200
    whole = score_images(ours, str(theirs), [DIGITS], None)
    others = score_images(ours, str(write(tmp_path / "c", grey[900:1500])), [DIGITS], None)
    assert whole.protocol["n_real"] == others.protocol["n_real"] == 600
    assert whole.protocol["data"] != others.protocol["data"]
    with pytest.raises(UserError, match="score.n_real of 'images' asks for 700"):
        score_images(ours, str(theirs), [DIGITS, "score.n_real=700"], None)


def test_statistics_of_rounded_images_are_not_those_of_others(tmp_path, grey):
    ours, statistics = write(tmp_path / "a", grey[:300]), tmp_path / "stats.npz"
    score_images(ours, None, [DIGITS, "score.quantise=false"], statistics)
    with pytest.raises(UserError, match="not rounded to 8 bits"):
        score_images(ours, str(statistics), [DIGITS], None)
    found = score_images(ours, str(statistics), [DIGITS, "score.quantise=false"], None)
    assert found.scores["frechet"] == pytest.approx(0, abs=1e-6)
    assert found.scores["frechet.expected_bias"] > 0


def test_the_command_line_prints_and_writes(tmp_path, grey, capsys, monkeypatch):
    ours, theirs = write(tmp_path / "mine", grey[:300]), write(tmp_path / "theirs", grey[300:600])
    argv = ["bench", "score", "--images", str(ours), "--reference", str(theirs), DIGITS]
    monkeypatch.setattr("sys.argv", [*argv, "--json", str(tmp_path / "out.json")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert "mine" in printed and "300 samples against 300 real ones" in printed
    (card,) = json.loads((tmp_path / "out.json").read_text())
    assert card["scores"]["precision"] > 0.8 and card["protocol"]["quantised"] is True


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "wants runs, or --images"),
        (["abc", "--images", "x"], "wants runs, or --images"),
        (["--images", "x"], "nothing to compare with"),
        (["--images", "nowhere", "--reference", "dataset=digits"], "nowhere"),
        (["nonesuch"], "no single run"),
    ],
)
def test_a_command_that_makes_no_sense_ends_with_two(argv, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["bench", "score", *argv])
    with pytest.raises(SystemExit) as end:
        main()
    caught = capsys.readouterr()
    assert end.value.code == 2 and said in caught.err and "fix:" in caught.err
