"""From stages, or from choices on a command line, to explicit runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.core.errors import UserError
from bench.sweeping.space import Value
from bench.sweeping.stage import Stage, full_name

AXES = {"variant": "variants", "dataset": "datasets"}


@dataclass(frozen=True)
class RunSpec:
    """One run: what it shares with others, and the plain values in which it differs from them.

    Args:
        shared: overrides that may change what is composed: groups, lists, steps.
        varied: values of keys that only change numbers: hyperparameters and seed.
        sample: which configuration of its variant.
        pack: which runs it shares a pack with; empty where it runs alone.
    """

    shared: tuple[tuple[str, str], ...]
    varied: tuple[tuple[str, Value], ...]
    sample: int
    pack: str = ""


def text_of(value: Any) -> str:
    """A value as an override has it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(text_of(item) for item in value)}]"
    return repr(value) if isinstance(value, float) else str(value)


def run_specs(
    stage: Stage,
    configurations: Mapping[tuple[str, str], Sequence[tuple[int, Mapping[str, Value]]]],
    constant: Mapping[str, str],
) -> list[RunSpec]:
    """The runs of a stage, in an order in which the first of them compare already.

    All variants on all data sets with their defaults, then with their next configuration, ...;
    within one configuration, seed by seed.

    Args:
        configurations: (variant, data set) -> (sample, values) of each.
        constant: overrides of the command line; they win over the stage's.
    """
    runs = []
    for v, variant in enumerate(stage.variants):
        for d, dataset in enumerate(stage.datasets):
            settings = {
                **stage.settings,
                **stage.of_dataset.get(dataset, {}),
                **stage.of_variant.get(variant, {}),
            }
            fixed = {key: text_of(value) for key, value in settings.items()}
            shared = {"variant": variant, "dataset": dataset, **fixed, **constant}
            for place, (sample, values) in enumerate(configurations.get((variant, dataset), ())):
                varied = {full_name(key): value for key, value in values.items()}
                kept = tuple((k, x) for k, x in shared.items() if k not in varied)
                for s, seed in enumerate(stage.seeds):
                    run = RunSpec(kept, (*varied.items(), ("seed", seed)), sample)
                    runs.append(((place, s, d, v), run))
    return [run for _, run in sorted(runs, key=lambda item: item[0])]


def split_choices(overrides: Sequence[str]) -> RunSpec:
    """One run of Hydra's own product of choices."""
    shared, varied = [], []
    for override in overrides:
        key, _, text = override.partition("=")
        value = _plain(text)
        moves = key == "seed" or key.startswith("hyperparameters.")
        if moves and value is not None:
            varied.append((key, value))
        else:
            shared.append((key, text))
    return RunSpec(tuple(shared), tuple(varied), 0)


def _plain(text: str) -> Value | None:
    """A number or truth value; None for what only Hydra can read."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if text_of(value) == text else None
    return None


def narrowed(stage: Stage, chosen: Mapping[str, Sequence[str]]) -> Stage:
    """The stage with fewer variants or data sets; what is drawn for those left is as it was.

    Args:
        chosen: "variant" and "dataset" of the command line, where they are given.

    Raises:
        UserError: one is none of the stage's.
    """
    changes = {}
    for axis, names in chosen.items():
        there = getattr(stage, AXES[axis])
        strangers = [name for name in names if name not in there]
        if strangers:
            raise UserError(
                f"stage {stage.name!r} of this sweep has no {axis} {', '.join(strangers)}",
                fix=f"choose among {', '.join(there)}, or write a sweep file of your own",
            )
        changes[AXES[axis]] = tuple(name for name in there if name in names)
    return Stage(**{**stage.__dict__, **changes})
