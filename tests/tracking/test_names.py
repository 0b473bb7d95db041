"""Names as W&B takes them: at most 128 characters, tags of 1 to 64."""

import pytest

from bench.runs.identity import SEMANTICS_VERSION
from bench.tracking.wandb_settings import build_settings, label, tags
from bench.tracking.wandb_tracker import Wandb

LONG = "wgan_gp (" + "learning_rate=0.0001, " * 14 + ")"


def test_a_run_of_any_names_has_labels_that_w_and_b_takes(tmp_path):
    tracker = Wandb(
        str(tmp_path),
        **{"project": "p", "entity": None, "group": LONG, "name": f"{LONG}-digits-0"},
        **{"job_type": "train", "tags": [LONG, "", "x\ny", "x\ny"], "notes": None},
        **{"offline": True, "init_seconds": 1, "finish_seconds": 1, "settings": {}},
    )
    labels = tracker.labels
    assert [len(labels[key]) for key in ("name", "group")] == [128, 128]
    assert labels["name"].startswith("wgan_gp (learning") and labels["name"].endswith("-digits-0")
    assert labels["tags"][1:] == ["x\\ny", f"semantics-{SEMANTICS_VERSION}"]
    settings = build_settings({"run_tags": labels["tags"], "run_group": labels["group"]})
    assert len(settings.run_tags[0]) == 64


def test_w_and_b_refuses_what_is_not_cut():
    with pytest.raises(ValueError, match="64"):
        build_settings({"run_tags": [LONG]})


def test_ordinary_names_are_left_alone():
    assert label("quick") == "quick"
    assert tags(["wgan_gp", "digits"]) == ["wgan_gp", "digits"]
