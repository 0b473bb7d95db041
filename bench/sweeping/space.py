"""Search spaces, and how configurations are drawn from them.

The algorithm is that of compare_gan v1 (Lucic et al. 2018, arXiv:1711.10337), so that it draws the
study's own configurations: one stream of Python's `random` for all variants in their order; for
each variant its defaults first; then, parameter by parameter in a stated order, one number in
[0, 1) each. A number is drawn even where there is only one value to choose.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.core.errors import UserError
from bench.core.number_checks import is_number

Value = float | int | bool | str


@dataclass(frozen=True)
class Range:
    """The distribution from which a parameter's value is drawn.

    Args:
        kind: "uniform" or "log_uniform" between two bounds, or "choice" of values.
        values: lower and upper bound, or the values to choose from.
    """

    kind: str
    values: tuple[Value, ...]

    def at(self, number: float) -> Value:
        """Return the value at quantile `number`, in [0, 1)."""
        if self.kind == "choice":
            return self.values[int(number * len(self.values))]
        low, high = (float(v) for v in self.values)
        if self.kind == "uniform":
            return low + (high - low) * number
        bottom, top = math.log10(low), math.log10(high)
        return 10 ** (bottom + (top - bottom) * number)


def parse_range(name: str, declared: Any) -> Range:
    """Read a range from a sweep file: {uniform: [a, b]}, {log_uniform: [a, b]}, {choice: [...]}.

    Raises:
        UserError: it has another form, is empty, or names a choice twice.
    """
    fix = "write {uniform: [0.0, 1.0]}, {log_uniform: [1.0e-5, 1.0e-2]} or {choice: [1, 5]}"
    if not isinstance(declared, Mapping) or len(declared) != 1:
        raise UserError(f"range of {name} is {declared!r}", fix=fix)
    kind, values = next(iter(declared.items()))
    if kind not in ("uniform", "log_uniform", "choice") or not isinstance(values, list | tuple):
        raise UserError(f"range of {name} is {{{kind}: {values!r}}}", fix=fix)
    if kind == "choice":
        _check_choices(name, values)
        return Range(kind, tuple(values))
    numbers = [v for v in values if is_number(v)]
    if len(values) != 2 or len(numbers) != 2 or not all(math.isfinite(v) for v in numbers):
        raise UserError(f"range of {name} is {{{kind}: {values!r}}}", fix=fix)
    if not numbers[0] < numbers[1]:
        fix = "put the lower bound first, or write {choice: [value]} for a single value"
        raise UserError(f"range of {name} is empty: from {numbers[0]} to {numbers[1]}", fix=fix)
    if kind == "log_uniform" and numbers[0] <= 0:
        fix = "give a lower bound above 0"
        raise UserError(f"range of {name} is logarithmic and begins at {numbers[0]}", fix=fix)
    return Range(kind, tuple(values))


def _check_choices(name: str, values: Sequence[Any]) -> None:
    if not values:
        raise UserError(f"range of {name} is empty: no choices", fix="name one value or more")
    if invalid := [v for v in values if not isinstance(v, bool | int | float | str)]:
        choice = repr(invalid[0])
        raise UserError(f"range of {name} has the choice {choice}", fix="use numbers or words")
    if len({(type(v) is bool, v) for v in values}) < len(values):
        fix = "name each value once; a value that is named twice would be drawn more often"
        raise UserError(f"range of {name} has a choice twice: {list(values)!r}", fix=fix)


def draw(
    spaces: Mapping[str, Mapping[str, Range]],
    *,
    samples: int,
    seed: int,
    order: Sequence[str],
    defaults: Mapping[str, Mapping[str, Value]],
) -> dict[str, list[dict[str, Value]]]:
    """Draw configurations of every variant: its defaults, then `samples` - 1 draws.

    Args:
        spaces: variant -> parameter -> range; variants in the order in which they draw.
        samples: number of configurations of each variant, its defaults included, from 1 on.
        seed: seed of the stream that all variants share.
        order: names of all parameters, in the order in which they are drawn.
        defaults: variant -> default values that differ from those of the variant's config.

    Raises:
        UserError: a parameter is not in `order`.
    """
    stream = random.Random(seed)
    configurations = {}
    for variant, space in spaces.items():
        if unplaced := sorted(set(space) - set(order)):
            missing = ", ".join(unplaced)
            message = f"the space of {variant} has {missing}, which `order` does not place"
            raise UserError(message, fix="name every parameter in `order`: the draws depend on it")
        names = [name for name in order if name in space]
        configurations[variant] = [dict(defaults.get(variant, {}))]
        for _ in range(samples - 1):
            configurations[variant].append({n: space[n].at(stream.random()) for n in names})
    return configurations
