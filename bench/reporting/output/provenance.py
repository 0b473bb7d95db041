"""Describe where runs ran, and how to run them again."""

from collections.abc import Iterable, Mapping, Sequence

from bench.reporting.data.records import RunRecord
from bench.reporting.text import words

TITLES = {
    "semantics_version": "version of the mathematics",
    "code": "code outside the package",
    "import_roots": "PYTHONPATH",
    "config_dirs": "--config-dir",
}  # other names: the key


def describe_run_environments(runs: Sequence[RunRecord]) -> dict[str, str]:
    """Describe the runs' environments; values that differ, with how many runs had each."""
    return describe_environments((run.environment for run in runs if run.environment), "run")


def describe_environments(records: Iterable[Mapping[str, object]], noun: str) -> dict[str, str]:
    """Return name -> value; where values differ, each with its count of nouns, "three runs" say."""
    counts_by_name: dict[str, dict[str, int]] = {}
    for environment in records:
        for name, value in _describe_items(environment):
            counts = counts_by_name.setdefault(name, {})
            counts[value] = counts.get(value, 0) + 1
    return {name: _describe_counts(counts, noun) for name, counts in counts_by_name.items()}


def _describe_items(environment: Mapping[str, object]) -> Iterable[tuple[str, str]]:
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
            text = ", ".join(value) if isinstance(value, list) else words.format_value(value)
            yield TITLES.get(name, name), text


def _describe_counts(counts: Mapping[str, int], noun: str) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{value} ({words.count_phrase(n, noun)})" for value, n in counts.items())
