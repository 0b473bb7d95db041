"""Formatting of numbers."""

import pytest

from bench.core.text import format_duration
from bench.reporting.data.collect import read_stages
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.rounding import (
    column_decimals,
    format_baseline,
    format_mean_sd,
    format_number,
)
from bench.reporting.tables.summary import summarise, summarise_scores


@pytest.mark.parametrize(
    "values, places",
    [([11.9, 25.0, 56.2], 1), ([0.72, 0.81], 3), ([6.7], 2), ([400.0, 900.0], 0), ([3e-5], 4)],
)
def test_the_median_of_a_column_has_three_digits(values, places):
    assert column_decimals(values) == places


@pytest.mark.parametrize(
    "value, places, text",
    [
        (12.345, 1, "12.3"),
        (0.0, 1, "0.0"),
        (0.02, 1, "0.02"),
        (1234.5, 1, "1,234.5"),
        (3e9, 1, "3e+09"),
    ],
)
def test_a_number_is_never_rounded_to_nothing(value, places, text):
    assert format_number(value, places) == text


def test_a_spread_has_the_digits_of_its_mean():
    assert format_mean_sd(summarise_scores([2.0, 4.0]), 2) == "3.00 \u00b1 1.41"
    assert format_mean_sd(summarise_scores([8.0, 8.001]), 2) == "8.00 \u00b1 0.00"
    assert format_mean_sd(summarise_scores([8.0]), 2) == "8.00"


def test_the_real_baseline_shows_digits_that_its_column_lacks(written):
    written.run("a", 0, 266.4)
    written.add_real_baseline(1.42)
    (group,) = group_rows(read_stages(written.root, "s")[-1])
    assert format_baseline(summarise(group), "frechet") == "1.42"


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (45, "45 s"),
        (90, "1.5 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
        (172_800, "2.0 days"),
    ],
)
def test_a_time_has_the_unit_that_gives_a_short_number(seconds, text):
    assert format_duration(seconds) == text
