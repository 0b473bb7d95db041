"""Add to the stages of a sweep variants that its file does not name, after those it names."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any


def add_variants(
    stages: Mapping[str, Any], names: Sequence[str], space_of: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the stages with the variants of `names` that they lack.

    Configurations are drawn variant by variant from one stream, so that an added one changes no
    configuration of the others.

    Args:
        stages: as a sweep's file declares them.
        space_of: name of a variant -> ranges of its own hyperparameters, beside those that the
            stage has for all; it may raise a UserError.
    """
    added = deepcopy(dict(stages))
    for content in added.values():
        if not isinstance(content, dict) or not isinstance(content.get("variants"), list):
            continue
        for name in (n for n in names if n not in content["variants"]):
            space = dict(space_of(name))
            content["variants"].append(name)
            if isinstance(content.get("only"), list):
                content["only"].append(name)
            if space and isinstance(content.get("sampling"), dict):
                content["of_variant"] = {
                    **(content.get("of_variant") or {}),
                    name: {"space": space},
                }
                order = content["sampling"].setdefault("order", [])
                order += [parameter for parameter in space if parameter not in order]
    return added
