"""Output of `bench score`, and the description of protocols that differ."""

import io
import json

import pytest
from rich.console import Console

from bench.reporting.data.protocols import describe_differences, with_measures
from bench.reporting.output.scorecard import Card, format_json, print_cards

PROTOCOL = {
    "name": "quick",
    "extractor": "digits_convnet",
    "weight_hash": "ab",
    "split": "test",
    "n_real": 500,
    "n_fake": 2000,
    "quantised": True,
    "latent_seed": 0,
    "prior": "uniform",
}
MEASURES = {
    "prdc": {"scores": {"recall": "higher"}, "arguments": {"k": 5}},
    "frechet": {"scores": {"frechet": "lower"}, "arguments": {}},
}


def card(name="a", *, scores=None, details=None, status="finished", measures=MEASURES, **protocol):
    shown = {"frechet": 1.5, "recall": 0.25} if scores is None else scores
    baselines = {"real (floor)": {"frechet": 0.5, "recall": 0.9}}
    return Card(name, PROTOCOL | protocol, measures, shown, details or {}, baselines, status)


def printed(*cards):
    stream = io.StringIO()
    print_cards(cards, Console(file=stream, width=100))
    return stream.getvalue()


def test_one_table_with_noise_and_real_baseline_frechet_first():
    lines = printed(card(details={"frechet.latent_sd": 0.123})).splitlines()
    assert "2,000 samples against 500 real ones (test), rounded to 8 bits" in " ".join(lines[:2])
    rows = [line for line in lines if "Frechet distance" in line or line.startswith("recall")]
    assert rows[0].split()[2:] == ["lower", "1.50", "+/-", "0.12", "0.500"]
    assert rows[1].split() == ["recall", "higher", "0.250", "0.900"]


def test_different_protocols_get_tables_of_their_own_and_the_reason():
    text = printed(card("a"), card("b", n_fake=100), card("c", prior="normal"))
    assert text.count("Frechet distance") == 2
    assert "differ in number of generated samples (2000, 100)." in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ({"extractor": "inception_2015"}, ["extractor (digits_convnet, inception_2015)"]),
        ({"measures": {"prdc": {"arguments": {"k": 3}}}}, ["settings of the measures (prdc)"]),
        ({"measures": {"prdc": MEASURES["prdc"], "kernel": {"arguments": {"degree": 3}}}}, []),
        ({"split": "train"}, ["split of the real samples (test, train)"]),
        ({"prior": "normal", "latent_seed": 7}, []),
        ({}, []),
    ],
)
def test_differences_of_two_protocols_are_named(change, differences):
    measures = {"measures": change.pop("measures", MEASURES)}
    first, second = with_measures(PROTOCOL, MEASURES), PROTOCOL | change
    assert describe_differences(first, with_measures(second, **measures)) == differences


def test_a_copying_generator_is_named():
    details = {"memorised.held_out": 0.47, "memorised.excess_low": 0.3}
    assert "memorised" in printed(card(details=details))
    assert "memorised" not in printed(card(details=details | {"memorised.excess_low": -0.01}))


def test_a_diverged_run_has_no_numbers_but_a_sentence():
    text = printed(card(scores={}, status="diverged"))
    assert "the run diverged" in text and " - " in text


def test_json_holds_every_digit():
    (content,) = json.loads(format_json([card(scores={"frechet": 1 / 3})]))
    assert content["scores"]["frechet"] == 1 / 3
    assert content["protocol"] == PROTOCOL and content["real"]["real (floor)"]["recall"] == 0.9


def test_parts_that_differ_are_named_in_order():
    first, second = ({"selection": dict.fromkeys("fbdaec", n)} | PROTOCOL for n in (1, 2))
    differences = describe_differences(with_measures(first, {}), with_measures(second, {}))
    assert differences == ["selection (a, b, c, d, e, f)"]
