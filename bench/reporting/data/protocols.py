"""What makes two scores comparable, and in what two protocols differ."""

from collections.abc import Mapping
from typing import Any

from bench.runs.identity import short_hash
from bench.runs.rows import OWN_CHOICES

BY_CHECKPOINT = ("chosen", "metrics", "measures")  # what a checkpoint's protocol may have its own

WORDS = {
    "name": "protocol",
    "extractor": "extractor",
    "weight_hash": "weights of the extractor",
    "split": "split of the real samples",
    "data": "real samples",
    "n_real": "number of real samples",
    "n_fake": "number of generated samples",
    "quantised": "rounding to 8 bits",
    "metrics": "scores",
    "measures": "settings of the measures",
    "chosen": "choice of the checkpoint",
    "settings": "settings",
}


def comparable(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """A protocol without what runs choose for themselves."""
    return {key: value for key, value in protocol.items() if key not in OWN_CHOICES}


def sibling(protocol: Mapping[str, Any]) -> str:
    """Hash of what the tables of several checkpoints share, so that they may stand side by side."""
    return short_hash({key: value for key, value in protocol.items() if key not in BY_CHECKPOINT})


def differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """In what two protocols differ, in words; empty where their scores may be compared.

    The hash of all settings is only named where nothing else tells.
    """
    ours, theirs = comparable(first), comparable(second)
    keys = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
    telling = [key for key in keys if key != "settings"] or keys
    return [_said(key, ours.get(key), theirs.get(key)) for key in telling]


def _said(key: str, ours: Any, theirs: Any) -> str:
    name = WORDS.get(key, key.replace("_", " "))
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        inner = [k for k in sorted({*ours, *theirs}) if ours.get(k) != theirs.get(k)]
        return f"{name} ({', '.join(inner)})"
    if isinstance(ours, Mapping) or isinstance(theirs, Mapping):
        return name
    return f"{name} ({_short(ours)}, {_short(theirs)})"


def _short(value: Any) -> str:
    text = "none" if value is None or value == "" else str(value)
    return text if len(text) <= 24 else f"{text[:12]}..."
