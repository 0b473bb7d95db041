"""Compare two protocols: which fields must agree, and how two of them differ."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.runs.identity import short_hash
from bench.runs.rows import RUN_SETTINGS, measure_identity

BY_CHECKPOINT = ("chosen", "measures")  # fields that may differ between checkpoints

# field of a table's protocol: arguments of the measures for which it differs from another table
MEASURES_APART = "measures_apart"

FIELD_TITLES = {
    "name": "protocol",
    "weight_hash": "weights of the extractor",
    "split": "split of the real samples",
    "data": "real samples",
    "n_real": "number of real samples",
    "n_fake": "number of generated samples",
    "quantised": "rounding to 8 bits",
    "measures": "settings of the measures",
    "chosen": "choice of the checkpoint",
}  # other fields: the key, with spaces


def comparable_part(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return a protocol without the choices that runs make for themselves."""
    return {key: value for key, value in protocol.items() if key not in RUN_SETTINGS}


def with_measures(
    protocol: Mapping[str, Any], measures: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a row's protocol with its measures' arguments, as `describe_differences` wants it."""
    return {**protocol, "measures": {name: measure_identity(m) for name, m in measures.items()}}


def hash_without_checkpoint(protocol: Mapping[str, Any]) -> str:
    """Hash the fields that the tables of different checkpoints share."""
    return short_hash({key: value for key, value in protocol.items() if key not in BY_CHECKPOINT})


def describe_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Name the fields in which two protocols differ; empty if their scores may be compared.

    A measure that only one of them has is no difference.
    """
    first, second = _common_parts(first, second)
    keys = [key for key in sorted({*first, *second}) if first.get(key) != second.get(key)]
    return [_describe_difference(key, first.get(key), second.get(key)) for key in keys]


def list_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """List "n_fake (500, 2000)", "measures.kernel.arguments.degree (3, 2)": keys and both values.

    The keys are those of the protocol's file; empty if `describe_differences` is.
    """
    return list(_differing_keys("", *_common_parts(first, second)))


def _differing_keys(path: str, first: Any, second: Any) -> Iterator[str]:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in sorted({*first, *second}):
            yield from _differing_keys(f"{path}.{key}", first.get(key), second.get(key))
    elif first != second:
        yield f"{path[1:]} ({_shorten(first)}, {_shorten(second)})"


def _common_parts(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the comparable parts of two protocols, with the measures that both have."""
    first, second = comparable_part(first), comparable_part(second)
    common = first.get("measures", {}).keys() & second.get("measures", {}).keys()
    for protocol in (first, second):
        protocol.pop(MEASURES_APART, None)
        protocol["measures"] = {name: protocol["measures"][name] for name in common}
    return first, second


def _describe_difference(key: str, first: Any, second: Any) -> str:
    title = FIELD_TITLES.get(key, key.replace("_", " "))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        inner = [k for k in sorted({*first, *second}) if first.get(k) != second.get(k)]
        return f"{title} ({', '.join(inner)})"
    if isinstance(first, Mapping) or isinstance(second, Mapping):
        return title
    return f"{title} ({_shorten(first)}, {_shorten(second)})"


def _shorten(value: Any) -> str:
    text = "none" if value is None or value == "" else str(value)
    return text if len(text) <= 24 else f"{text[:12]}..."
