"""What scores detect and what they miss, on real digits."""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
from support import ROOT

from bench.config import build
from bench.scoring.score import score_features
from bench.training.job import prepare_job


@pytest.fixture(scope="module")
def dropping():
    """docs/make_mode_dropping.py's numbers, by kind."""
    path = ROOT / "docs" / "make_mode_dropping.py"
    spec = importlib.util.spec_from_file_location("make_mode_dropping", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    embedded = script.embed_digits()
    return {kind: script.score_dropping(*embedded, kind) for kind in ("classes", "within")}


def test_dropping_classes_lowers_recall_coverage_and_the_class_score(dropping):
    scores = dropping["classes"]
    for name in ("recall", "coverage", "inception_score"):
        values = [found[name] for found in scores]
        assert values == sorted(values, reverse=True)
    first, last = scores[0], scores[-1]
    assert last["inception_score"] == pytest.approx(2, abs=0.1)  # two classes are left
    assert first["inception_score"] > 9
    assert last["recall"] < 0.3 < 0.9 < first["recall"]
    assert last["coverage"] < 0.3 < 0.9 < first["coverage"]
    assert last["precision"] > 0.9  # what is left is as good as before


def test_dropping_modes_within_classes_is_not_seen_by_the_class_score(dropping):
    first, last = dropping["within"][0], dropping["within"][-1]
    assert last["inception_score"] > 0.9 * first["inception_score"]
    assert last["recall"] < 0.6 * first["recall"]
    assert last["coverage"] < 0.6 * first["coverage"]
    assert last["frechet"] > 5 * first["frechet"]
    assert last["precision"] > 0.9


def evaluator_and_settings(tiny, count):
    """A evaluator of digits, and the two measures that are to disagree."""
    evaluator = prepare_job(
        build.compose_config(tiny("score.n_real=null", f"score.n_fake={count}"))
    ).evaluator
    metrics = {name: evaluator.settings.metrics[name] for name in ("frechet", "memorisation")}
    return evaluator, replace(evaluator.settings, metrics=metrics)


def test_a_sampler_of_training_images_is_praised_by_the_distance_and_caught(tiny):
    evaluator, settings = evaluator_and_settings(tiny, 297)
    train = evaluator.real_features.features("train", 1000)
    copies = replace(train, features=train.features[:297], logits=train.logits[:297])
    held_out = evaluator.real_features.features("validation", 297)
    caught = score_features(copies, evaluator.reference, settings)
    honest = score_features(held_out, evaluator.reference, settings)
    assert caught["frechet"] < 1.3 * honest["frechet"]
    assert caught["memorised"] == 1.0 and caught["memorised.excess_low"] > 0.4
    assert honest["memorised.excess_low"] < 0 < honest["memorised.excess_high"]
    assert honest["memorised.held_out"] == caught["memorised.held_out"]


def test_copies_with_a_little_noise_are_caught_too(tiny):
    evaluator, settings = evaluator_and_settings(tiny, 500)
    train = evaluator.real_features.features("train", 1000)
    noise = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    near = 0.1 * train.features.std(0) * noise
    copies = replace(train, features=train.features[:500] + near, logits=train.logits[:500])
    found = score_features(copies, evaluator.reference, settings)
    assert found["memorised.excess_low"] > 0.4
