"""From stages, or from choices on a command line, to explicit runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.config.override_text import override_text
from bench.core.errors import UserError
from bench.sweeping.space import Value
from bench.sweeping.stage import Stage, override_key

NARROWING_KEYS = {"variant": "variants", "dataset": "datasets"}  # override -> field of a stage


@dataclass(frozen=True)
class RunSpec:
    """The overrides of one run, in two parts.

    Args:
        shared: (key, text) of overrides that may change what is composed: groups, lists, steps.
        varied: (key, value) of overrides that only change numbers: hyperparameters and seed.
        sample: number of its configuration among those of its variant.
        pack: key that runs have in common if they can share a pack; empty where it runs alone.
    """

    shared: tuple[tuple[str, str], ...]
    varied: tuple[tuple[str, Value], ...]
    sample: int
    pack: str = ""


def run_specs(
    stage: Stage,
    configurations: Mapping[tuple[str, str], Sequence[tuple[int, Mapping[str, Value]]]],
    constant: Mapping[str, str],
) -> list[RunSpec]:
    """Return the runs of a stage, ordered so that the first of them can be compared already.

    All variants on all data sets with their defaults, then with their next configuration, ...;
    within one configuration, seed by seed.

    Args:
        configurations: (variant, data set) -> (sample, values) of each.
        constant: overrides of the command line; they win over the stage's.
    """
    numbers = {k: v for k, text in constant.items() if (v := _hyperparameter(k, text)) is not None}
    placed_runs = []
    for v, variant in enumerate(stage.variants):
        for d, dataset in enumerate(stage.datasets):
            of_dataset = stage.of_dataset.get(dataset, {})
            settings = {**stage.settings, **of_dataset, **stage.of_variant.get(variant, {})}
            fixed = {key: override_text(value) for key, value in settings.items()}
            for place, (sample, values) in enumerate(configurations.get((variant, dataset), ())):
                cell = {k: override_text(v) for k, v in values.items() if k in stage.factors}
                overrides = {"variant": variant, "dataset": dataset, **fixed, **cell, **constant}
                drawn = {override_key(k): v for k, v in values.items() if k not in stage.factors}
                varied = numbers | drawn
                shared = tuple((k, text) for k, text in overrides.items() if k not in varied)
                for s, seed in enumerate(stage.seeds):
                    run = RunSpec(shared, (*varied.items(), ("seed", seed)), sample)
                    placed_runs.append(((place, s, d, v), run))
    return [run for _, run in sorted(placed_runs, key=lambda item: item[0])]


def parse_run(overrides: Sequence[str]) -> RunSpec:
    """Return the run of one combination of Hydra's own product of choices."""
    shared, varied = [], []
    for override in overrides:
        key, _, text = override.partition("=")
        value = _parse_value(text) if key == "seed" else _hyperparameter(key, text)
        if value is not None:
            varied.append((key, value))
        else:
            shared.append((key, text))
    return RunSpec(tuple(shared), tuple(varied), 0)


def _hyperparameter(key: str, text: str) -> Value | None:
    """Return the number that an override sets a hyperparameter to, which a variant may not have."""
    return _parse_value(text) if key.startswith("hyperparameters.") else None


def _parse_value(text: str) -> Value | None:
    """Return a number or truth value; None for a text that only Hydra can read."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if override_text(value) == text else None
    return None


def narrow_stage(stage: Stage, chosen: Mapping[str, Sequence[str]]) -> Stage:
    """Return the stage with fewer variants or data sets; configurations of the rest stay as drawn.

    A stage without settings for single data sets runs on any that is named.

    Args:
        chosen: names by "variant" and "dataset", where the command line gives them.

    Raises:
        UserError: the stage does not have one of the names.
    """
    changes = {}
    for key, names in chosen.items():
        available = getattr(stage, NARROWING_KEYS[key])
        if key == "dataset" and not stage.of_dataset:
            changes["datasets"] = tuple(dict.fromkeys(names))
            continue
        if missing := [name for name in names if name not in available]:
            message = f"stage {stage.name!r} of this sweep has no {key} {', '.join(missing)}"
            fix = f"choose among {', '.join(available)}, or write a sweep file of your own"
            raise UserError(message, fix=fix)
        changes[NARROWING_KEYS[key]] = tuple(name for name in available if name in names)
    return Stage(**{**stage.__dict__, **changes})
