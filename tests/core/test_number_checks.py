import math

import pytest

from bench.core.number_checks import is_number, is_whole_number, require_whole_number


@pytest.mark.parametrize(
    ("value", "number", "whole", "from_1"),
    [
        (1, True, True, True),
        (0, True, True, False),
        (-3, True, True, False),
        (1.0, True, False, False),
        (math.nan, True, False, False),
        (True, False, False, False),
        (False, False, False, False),
        ("1", False, False, False),
        (None, False, False, False),
    ],
)
def test_a_bool_is_no_number_and_a_float_is_no_whole_one(value, number, whole, from_1):
    assert is_number(value) is number
    assert is_whole_number(value) is whole
    assert is_whole_number(value, 1) is from_1


def test_a_refusal_names_the_setting_the_value_and_the_range():
    require_whole_number("n", 0, 0)
    require_whole_number("n", -5)
    with pytest.raises(ValueError, match="^n is 0; it counts steps: set it to a whole .* 1 on$"):
        require_whole_number("n", 0, 1, meaning="steps")
    with pytest.raises(ValueError, match="^n is 1.5; set it to a whole number$"):
        require_whole_number("n", 1.5)
