"""What the runs recorded of where they ran, and how to run them again."""

import shlex
from collections.abc import Iterable, Mapping, Sequence

from bench.reporting.data.records import RunRecord
from bench.reporting.text import words


def command_of(run: RunRecord) -> str:
    """What trains the run again."""
    return shlex.join(["python", "-m", "bench.train", *run.overrides])


def environment_facts(runs: Sequence[RunRecord]) -> dict[str, str]:
    """What the runs recorded of their machine; values that differ, with how many runs had each."""
    return facts_of((run.environment for run in runs if run.environment), "run")


def facts_of(environments: Iterable[Mapping[str, object]], what: str) -> dict[str, str]:
    """Name -> value of recorded environments; where values differ, with how many had each."""
    found: dict[str, dict[str, int]] = {}
    for environment in environments:
        for name, value in _facts(environment):
            tally = found.setdefault(name, {})
            tally[value] = tally.get(value, 0) + 1
    return {name: _tally(values, what) for name, values in found.items()}


def _facts(environment: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in environment.items():
        if name == "packages" and isinstance(value, Mapping):
            versions = [f"{package} {version}" for package, version in value.items() if version]
            yield name, ", ".join(versions)
        elif name == "commit":
            state = {True: ", with uncommitted changes", False: ", clean"}
            dirty = environment.get("dirty")
            ending = state[dirty] if isinstance(dirty, bool) else ""
            yield name, f"{value}{ending}" if value else "unknown (not run from a checkout)"
        elif name != "dirty":
            yield name, words.worded(value)


def _tally(values: Mapping[str, int], what: str) -> str:
    if len(values) == 1:
        return next(iter(values))
    return "; ".join(f"{value} ({words.counted(n, what)})" for value, n in values.items())
