"""What a sweep file declares under `hydra.sweeper.stages`, checked before anything is planned."""

from collections.abc import Mapping
from typing import Any

from bench.core.errors import UserError
from bench.sweeping.space import Range, Value, draw, parse_range
from bench.sweeping.stage import Rule, Stage, full_name
from bench.sweeping.table import read_table

KEYS = {
    *("variants", "datasets", "seeds", "samples", "sampling", "space", "table"),
    *("only", "set", "of_variant", "of_dataset", "after", "rule"),
}
NEEDED = ("variants", "datasets", "seeds")


def parse_stages(given: Mapping[str, Any]) -> list[Stage]:
    """The stages of a sweep file, in order.

    Raises:
        UserError: a key is unknown or missing, a range is empty, a parameter is set twice, a seed
            or a variant stands there twice, a stage follows one that does not come before it.
    """
    stages: list[Stage] = []
    for name, content in given.items():
        if not isinstance(content, Mapping):
            raise UserError(f"stage {name!r} is {content!r}", fix="give it variants, datasets, ...")
        stages.append(_stage(str(name), content, {stage.name: stage for stage in stages}))
    return stages


def _stage(name: str, given: Mapping[str, Any], before: Mapping[str, Stage]) -> Stage:
    given = {key: value for key, value in given.items() if value is not None}
    for key in ("of_variant", "of_dataset"):  # null takes away what an inherited sweep has
        if isinstance(given.get(key), Mapping):
            given[key] = {n: part for n, part in given[key].items() if part is not None}
    unknown = sorted(set(given) - KEYS)
    if unknown:
        raise UserError(
            f"stage {name!r} has {', '.join(unknown)}", fix=f"it takes {', '.join(sorted(KEYS))}"
        )
    after, rule = given.get("after"), given.get("rule")
    if (after is None) != (rule is None):
        raise UserError(f"stage {name!r} has only one of after and rule", fix="give both")
    if after is not None and after not in before:
        raise UserError(
            f"stage {name!r} comes after {after!r}, which is no stage before it",
            fix=f"choose one of: {', '.join(before) or 'none, it is the first'}",
        )
    earlier = before.get(str(after))
    missing = [key for key in NEEDED if key not in given and (earlier is None or key == "seeds")]
    if missing:
        raise UserError(f"stage {name!r} has no {', '.join(missing)}", fix="name them")
    variants = _names(name, "variants", given.get("variants", earlier and earlier.variants))
    datasets = _names(name, "datasets", given.get("datasets", earlier and earlier.datasets))
    settings = _settings(name, "set", given.get("set", earlier.settings if earlier else {}))
    of_variant = _each(name, "of_variant", given, earlier, variants)
    of_dataset = _each(name, "of_dataset", given, earlier, datasets)
    configurations = None
    if earlier is None:
        spaces_of = {variant: given.get("of_variant", {}).get(variant, {}) for variant in variants}
        configurations = _configurations(name, given, variants, spaces_of, settings, of_variant)
    elif {"space", "samples", "table", "sampling"} & set(given):
        raise UserError(
            f"stage {name!r} takes its configurations from {after!r} and draws its own too",
            fix="leave space, samples, sampling and table out",
        )
    only = _names(name, "only", given.get("only", variants))
    strangers = sorted(set(only) - set(variants))
    if strangers:
        raise UserError(
            f"stage {name!r}: only speaks of {', '.join(strangers)}, which it does not draw",
            fix=f"choose among {', '.join(variants)}",
        )
    return Stage(
        name=name,
        variants=only,
        datasets=datasets,
        seeds=_seeds(name, given["seeds"]),
        configurations=configurations,
        settings=settings,
        of_variant=of_variant,
        of_dataset=of_dataset,
        after=None if after is None else str(after),
        rule=None if rule is None else _rule(name, rule),
    )


def _names(stage: str, key: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not given:
        raise UserError(f"stage {stage!r}: {key} is {given!r}", fix="list one name or more")
    names = tuple(str(name) for name in given)
    if len(set(names)) < len(names):
        raise UserError(f"stage {stage!r}: {key} has a name twice: {names}", fix="name each once")
    return names


def _seeds(stage: str, given: Any) -> tuple[int, ...]:
    """[0, 1, 2], or {first: 0, count: 50}."""
    if isinstance(given, Mapping) and set(given) == {"first", "count"}:
        given = list(range(given["first"], given["first"] + given["count"]))
    whole = isinstance(given, list | tuple) and all(
        isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in given
    )
    if not whole or not given:
        raise UserError(
            f"stage {stage!r}: seeds is {given!r}", fix="write [0, 1, 2] or {first: 0, count: 50}"
        )
    if len(set(given)) < len(given):
        twice = sorted({seed for seed in given if list(given).count(seed) > 1})
        raise UserError(
            f"stage {stage!r}: seeds has {', '.join(map(str, twice))} twice",
            fix="name each seed once: a run is the same run however often it is named",
        )
    return tuple(given)


def _settings(stage: str, key: str, given: Any) -> dict[str, Value]:
    """Overrides by full name; a word without a dot that is no group is a hyperparameter's."""
    if not isinstance(given, Mapping):
        raise UserError(f"stage {stage!r}: {key} is {given!r}", fix="write {d_steps: 1000}")
    return {str(name): value for name, value in given.items()}


def _each(
    stage: str, key: str, given: Mapping[str, Any], earlier: Stage | None, known: tuple[str, ...]
) -> dict[str, dict[str, Value]]:
    if key not in given and earlier is not None:
        return {n: dict(v) for n, v in getattr(earlier, key).items() if n in known}
    content = given.get(key, {})
    strangers = sorted(set(content) - set(known))
    if strangers:
        raise UserError(
            f"stage {stage!r}: {key} speaks of {', '.join(strangers)}, which it does not run",
            fix=f"choose among {', '.join(known)}",
        )
    return {
        name: _settings(stage, f"{key}.{name}", (part or {}).get("set", {}))
        for name, part in content.items()
    }


def _configurations(
    stage: str,
    given: Mapping[str, Any],
    variants: tuple[str, ...],
    parts: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Value],
    of_variant: Mapping[str, Mapping[str, Value]],
) -> dict[str, list[dict[str, Value]]]:
    table, space = given.get("table"), given.get("space", {})
    drawn = bool(space) or any("space" in part for part in parts.values())
    if table is not None and (drawn or "samples" in given):
        raise UserError(f"stage {stage!r} has both a table and a space", fix="leave one out")
    if table is not None:
        return read_table(stage, table, variants)
    samples = given.get("samples", 1)
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise UserError(f"stage {stage!r}: samples is {samples!r}", fix="1 (the defaults) or more")
    if not drawn:
        if samples > 1:
            raise UserError(
                f"stage {stage!r} has {samples} samples and no space",
                fix="add space:, or write samples: 1",
            )
        return {variant: [{}] for variant in variants}
    sampling = given.get("sampling")
    if not isinstance(sampling, Mapping) or set(sampling) != {"seed", "order"}:
        raise UserError(
            f"stage {stage!r}: sampling is {sampling!r}",
            fix="write sampling: {seed: 123, order: [beta1, learning_rate]}",
        )
    spaces: dict[str, dict[str, Range]] = {}
    for variant in variants:
        own = parts[variant].get("space", {})
        spaces[variant] = {n: parse_range(n, r) for n, r in {**space, **own}.items()}
        fixed = {*settings, *of_variant.get(variant, {})}
        both = sorted(n for n in spaces[variant] if full_name(n) in fixed or n in fixed)
        if both:
            raise UserError(
                f"stage {stage!r} both sets and draws {', '.join(both)} of {variant}",
                fix="take it out of `set`, or out of `space`",
            )
    return draw(
        spaces,
        samples=samples,
        seed=int(sampling["seed"]),
        order=list(sampling["order"]),
        defaults={variant: part.get("defaults", {}) for variant, part in parts.items()},
    )


def _rule(stage: str, given: Any) -> Rule:
    whole = isinstance(given, Mapping) and set(given) == {"name", "score", "checkpoint"}
    if not whole or given["name"] not in ("lowest", "highest"):
        raise UserError(
            f"stage {stage!r}: rule is {given!r}",
            fix="write {name: lowest, score: frechet, checkpoint: best}",
        )
    return Rule(str(given["name"]), str(given["score"]), str(given["checkpoint"]))
