"""Read the stages of a sweep file, `hydra.sweeper.stages`, and check them before planning."""

from collections.abc import Container, Mapping, Sequence
from itertools import chain
from typing import Any

from bench.core.errors import UserError
from bench.core.number_checks import is_whole_number
from bench.sweeping.space import Range, Value, draw, parse_range
from bench.sweeping.stage import Rule, Stage, override_key
from bench.sweeping.table import read_table

KEYS = {
    *("variants", "datasets", "seeds", "samples", "sampling", "space", "table"),
    *("only", "set", "of_variant", "of_dataset", "after", "rule", "grid"),
}
REQUIRED_KEYS = ("variants", "datasets", "seeds")


def parse_stages(declared: Mapping[str, Any]) -> list[Stage]:
    """Return the stages of a sweep file, in order.

    Raises:
        UserError: a key is unknown or missing, a range is empty, a parameter is set twice, a seed
            or a variant stands there twice, a stage follows one that does not come before it.
    """
    stages: list[Stage] = []
    for name, content in declared.items():
        if not isinstance(content, Mapping):
            raise UserError(f"stage {name!r} is {content!r}", fix="give it variants, datasets, ...")
        stages.append(_parse_stage(str(name), content, {stage.name: stage for stage in stages}))
    return stages


def _parse_stage(name: str, content: Mapping[str, Any], before: Mapping[str, Stage]) -> Stage:
    content = _drop_nulls(content)
    if unknown := sorted(set(content) - KEYS):
        fix = f"it takes {', '.join(sorted(KEYS))}"
        raise UserError(f"stage {name!r} has {', '.join(unknown)}", fix=fix)
    after, rule = content.get("after"), content.get("rule")
    if (after is None) != (rule is None):
        raise UserError(f"stage {name!r} has only one of after and rule", fix="give both")
    if after is not None and after not in before:
        fix = f"choose one of: {', '.join(before) or 'none, it is the first'}"
        message = f"stage {name!r} comes after {after!r}, which is no stage before it"
        raise UserError(message, fix=fix)
    earlier = before.get(str(after))
    required = REQUIRED_KEYS if earlier is None else ("seeds",)
    if missing := [key for key in required if key not in content]:
        raise UserError(f"stage {name!r} has no {', '.join(missing)}", fix="name them")
    variants = _parse_names(name, "variants", content.get("variants", earlier and earlier.variants))
    datasets = _parse_names(name, "datasets", content.get("datasets", earlier and earlier.datasets))
    settings = _parse_settings(name, "set", content.get("set", earlier.settings if earlier else {}))
    of_variant = _parse_settings_by_name(name, "of_variant", content, earlier, variants)
    of_dataset = _parse_settings_by_name(name, "of_dataset", content, earlier, datasets)
    configurations, grid = None, _parse_grid(name, content.get("grid", {}))
    if earlier is None:
        parts = {variant: content.get("of_variant", {}).get(variant, {}) for variant in variants}
        configurations = _parse_configurations(name, content, parts, settings, of_variant)
    elif {"space", "samples", "table", "sampling"} & set(content):
        message = f"stage {name!r} takes its configurations from {after!r} and draws its own too"
        raise UserError(message, fix="leave space, samples, sampling and table out")
    factors = frozenset(grid) | (earlier.factors if earlier else frozenset())
    _check_grid(name, grid, earlier, configurations, {*settings, *chain(*of_variant.values())})
    only = _parse_names(name, "only", content.get("only", variants))
    if undrawn := sorted(set(only) - set(variants)):
        message = f"stage {name!r}: only names {', '.join(undrawn)}, which it does not draw"
        raise UserError(message, fix=f"choose among {', '.join(variants)}")
    return Stage(
        name=name,
        variants=only,
        datasets=datasets,
        seeds=_parse_seeds(name, content["seeds"]),
        configurations=configurations,
        settings=settings,
        of_variant=of_variant,
        of_dataset=of_dataset,
        after=None if after is None else str(after),
        rule=None if rule is None else _parse_rule(name, rule),
        grid=grid,
        factors=factors,
    )


def _parse_grid(stage: str, value: Any) -> dict[str, dict[Value, dict[str, Value]]]:
    """Read {loss: [hinge, rpgan], penalty: {none: {}, r1: {hyperparameters.penalty_weight: 5}}}."""
    fix = "write {loss: [hinge, rpgan], penalty: [none, r1]}"
    if not isinstance(value, Mapping):
        raise UserError(f"stage {stage!r}: grid is {value!r}", fix=fix)
    grid: dict[str, dict[Value, dict[str, Value]]] = {}
    for factor, levels in value.items():
        names = list(levels) if isinstance(levels, Mapping | list | tuple) else []
        if len(set(map(str, names))) < max(2, len(names)):
            message = f"stage {stage!r}: grid has {factor}: {levels!r}"
            raise UserError(message, fix=f"list two different values or more; {fix}")
        further = levels if isinstance(levels, Mapping) else dict.fromkeys(names, {})
        place = f"grid.{factor}"
        grid[str(factor)] = {n: _parse_settings(stage, place, s) for n, s in further.items()}
    return grid


def _check_grid(
    stage: str,
    grid: Mapping[str, Any],
    earlier: Stage | None,
    configurations: Mapping[str, Sequence[Mapping[str, Value]]] | None,
    fixed: Container[str],
) -> None:
    """Refuse a grid beside a search, and a factor that the stage sets or varies already."""
    if grid and configurations is not None and any(c != [{}] for c in configurations.values()):
        message = f"stage {stage!r} has a grid, and draws or lists configurations too"
        raise UserError(message, fix="leave one out, or give them stages of their own")
    if earlier and earlier.after and earlier.grid:
        message = f"stage {stage!r} comes after {earlier.name!r}, which crosses what it chose"
        raise UserError(message, fix=f"let it come after {earlier.after!r}")
    taken = {"variant", "dataset", "seed", *(earlier.factors if earlier else ())}
    for factor, levels in grid.items():
        keys = {factor}.union(*levels.values())  # with the settings that go with its levels
        if both := sorted(key for key in keys if key in taken or key in fixed):
            message = f"stage {stage!r}: grid has {both[0]}, which is set or varied elsewhere"
            raise UserError(message, fix="name it in one place")
        taken |= keys


def _drop_nulls(content: Mapping[str, Any]) -> dict[str, Any]:
    """Drop keys whose value is null: so a sweep file removes what it inherits from another."""
    content = {key: value for key, value in content.items() if value is not None}
    for key in ("of_variant", "of_dataset"):
        if isinstance(content.get(key), Mapping):
            content[key] = {n: part for n, part in content[key].items() if part is not None}
    return content


def _parse_names(stage: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise UserError(f"stage {stage!r}: {key} is {value!r}", fix="list one name or more")
    names = tuple(str(name) for name in value)
    if len(set(names)) < len(names):
        raise UserError(f"stage {stage!r}: {key} has a name twice: {names}", fix="name each once")
    return names


def _parse_seeds(stage: str, value: Any) -> tuple[int, ...]:
    """Read [0, 1, 2], or {first: 0, count: 50}."""
    if isinstance(value, Mapping) and set(value) == {"first", "count"}:
        value = list(range(value["first"], value["first"] + value["count"]))
    is_list = isinstance(value, list | tuple)
    if not is_list or not value or not all(is_whole_number(seed, 0) for seed in value):
        fix = "write [0, 1, 2] or {first: 0, count: 50}"
        raise UserError(f"stage {stage!r}: seeds is {value!r}", fix=fix)
    if len(set(value)) < len(value):
        repeated = ", ".join(str(s) for s in sorted({s for s in value if list(value).count(s) > 1}))
        fix = "name each seed once: a run is the same run however often it is named"
        raise UserError(f"stage {stage!r}: seeds has {repeated} twice", fix=fix)
    return tuple(value)


def _parse_settings(stage: str, key: str, value: Any) -> dict[str, Value]:
    if not isinstance(value, Mapping):
        raise UserError(f"stage {stage!r}: {key} is {value!r}", fix="write {d_steps: 1000}")
    return {str(name): setting for name, setting in value.items()}


def _parse_settings_by_name(
    stage: str, key: str, content: Mapping[str, Any], earlier: Stage | None, names: tuple[str, ...]
) -> dict[str, dict[str, Value]]:
    """Read `of_variant` or `of_dataset`, name -> overrides; else take the earlier stage's."""
    if key not in content and earlier is not None:
        return {n: dict(v) for n, v in getattr(earlier, key).items() if n in names}
    parts = content.get(key, {})
    if unused := sorted(set(parts) - set(names)):
        message = f"stage {stage!r}: {key} names {', '.join(unused)}, which it does not run"
        raise UserError(message, fix=f"choose among {', '.join(names)}")
    return {
        name: _parse_settings(stage, f"{key}.{name}", (part or {}).get("set", {}))
        for name, part in parts.items()
    }


def _parse_configurations(
    stage: str,
    content: Mapping[str, Any],
    parts: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Value],
    of_variant: Mapping[str, Mapping[str, Value]],
) -> dict[str, list[dict[str, Value]]]:
    """Read a table of configurations, or draw them from a space.

    Args:
        parts: variant -> what the stage declares for it under `of_variant`: set, space, defaults.
    """
    table, space = content.get("table"), content.get("space", {})
    has_space = bool(space) or any("space" in part for part in parts.values())
    if table is not None and (has_space or "samples" in content):
        raise UserError(f"stage {stage!r} has both a table and a space", fix="leave one out")
    if table is not None:
        return read_table(stage, table, tuple(parts))
    samples = content.get("samples", 1)
    if not is_whole_number(samples, 1):
        raise UserError(f"stage {stage!r}: samples is {samples!r}", fix="1 (the defaults) or more")
    if not has_space:
        if samples > 1:
            fix = "add space:, or write samples: 1"
            raise UserError(f"stage {stage!r} has {samples} samples and no space", fix=fix)
        return {variant: [{}] for variant in parts}
    sampling = content.get("sampling")
    if not isinstance(sampling, Mapping) or set(sampling) != {"seed", "order"}:
        fix = "write sampling: {seed: 123, order: [beta1, learning_rate]}"
        raise UserError(f"stage {stage!r}: sampling is {sampling!r}", fix=fix)
    spaces: dict[str, dict[str, Range]] = {}
    for variant, part in parts.items():
        ranges = {**space, **part.get("space", {})}
        spaces[variant] = {name: parse_range(name, value) for name, value in ranges.items()}
        fixed = {*settings, *of_variant.get(variant, {})}
        if both := sorted(n for n in spaces[variant] if override_key(n) in fixed or n in fixed):
            message = f"stage {stage!r} both sets and draws {', '.join(both)} of {variant}"
            raise UserError(message, fix="take it out of `set`, or out of `space`")
    defaults = {variant: part.get("defaults", {}) for variant, part in parts.items()}
    seed, order = int(sampling["seed"]), list(sampling["order"])
    return draw(spaces, samples=samples, seed=seed, order=order, defaults=defaults)


def _parse_rule(stage: str, value: Any) -> Rule:
    required = {"name", "score", "checkpoint"}
    is_rule = isinstance(value, Mapping) and required <= set(value) <= required | {"count"}
    if (
        not is_rule
        or value["name"] not in ("lowest", "highest")
        or not is_whole_number(count := value.get("count", 1), 1)
    ):
        fix = (
            "write {name: lowest, score: frechet, checkpoint: best}, and count: 2 for the best two"
        )
        raise UserError(f"stage {stage!r}: rule is {value!r}", fix=fix)
    return Rule(str(value["name"]), str(value["score"]), str(value["checkpoint"]), count)
