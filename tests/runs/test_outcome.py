"""What a single run says at its end."""

import pytest

from bench import train
from bench.runs.outcome import faults, score_table
from bench.runs.rows import Row

SCORES = {"frechet": 4.0, "ssim": 0.3, "classes_covered": 10.0}
REAL = {"frechet": 1.0, "ssim": 0.2, "classes_covered": 10.0, "modes_covered": 8.0}


def row_of(**scores):
    both = {**SCORES, **scores}
    measures = {"all": {"scores": dict.fromkeys(both, "lower") | {"classes_covered": "higher"}}}
    return Row(
        run_id="a" * 16, variant="ns_gan", loss="", model="gan", network="", dataset="digits",
        seed=0, d_steps=1, g_steps=1, images=64, status="finished", cause="", checkpoint="final",
        protocol={"name": "quick"}, measures=measures, hyperparameters={}, scores=both,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "untrained", "said"),
    [
        ({}, 200.0, []),
        ({"modes_covered": 8.0}, None, []),
        ({"modes_covered": 1.0}, None, ["1 of 8 modes"]),
        ({"classes_covered": 3.0}, None, ["3 of 10 classes"]),
        ({"ssim": 0.6}, None, []),  # halfway from 0.2 to 1
        ({"ssim": 0.61}, None, ["all samples alike"]),
        ({"frechet": 100.0}, 200.0, []),
        ({"frechet": 101.0}, 200.0, ["hardly better than the untrained generator"]),
        ({"frechet": 201.0}, 200.0, ["no better than the untrained generator"]),
    ],
)
def test_what_went_wrong_is_said_in_words(scores, untrained, said):
    found = faults(row_of(**scores), REAL, untrained)
    assert len(found) == len(said)
    assert all(clause.startswith(begin) for clause, begin in zip(found, said, strict=True))


def test_a_diverged_run_without_scores_has_no_fault_in_words_and_an_empty_table():
    assert faults(row_of(), {}) == []
    lines = [line.split()[:3] for line in score_table(row_of(ms_ssim=0.5), REAL)]
    assert ["ms_ssim", "0.5000", "-"] in lines and ["frechet", "4.0000", "1.0000"] in lines
    (ssim,) = (line for line in score_table(row_of(), REAL) if " ssim " in line)
    assert ssim.endswith("  as real data is best")


def test_a_run_ends_with_scores_beside_real_data_picture_and_next_command(run_command, tiny):
    overrides = tiny("dataset=ring", network="mlp")
    done = run_command(train.main, *overrides)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and "finished in" in lines[0]
    assert lines[2].split() == ["this", "run", "real", "data"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:] if "is better" in line}
    assert rows["modes_covered"][1] == "8.0000" and rows["frechet"][2:] == ["lower", "is", "better"]
    assert any(
        line.startswith("what went wrong: ") and "better than the unt" in line for line in lines
    )
    picture = next(line for line in lines if line.startswith("samples: ")).split()[1]
    assert picture.endswith("final.png") and lines[-1].startswith("next: bench ")
