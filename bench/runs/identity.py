"""run_id: a hash of everything that can change a bit of training, and of nothing else."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from bench.core.errors import UserError

SEMANTICS_VERSION = 2  # raised by hand when the mathematics or the dynamics change
LAST_COMMITS = {1: "19cc27b82f74a90f47c30f30cdef77f14371939b"}  # version -> last that reads it
JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
# the last two parts of a target, where a file or class of ours was renamed -> as in run_ids
RENAMED: dict[str, str] = {}


def canonical_json(value: Any) -> str:
    """Return JSON that is equal for equal configs: sorted keys, no spaces, shortest floats.

    Raises:
        ValueError: the value holds a NaN or an infinity.
    """
    return JSON.encode(_plain(value))


def _plain(value: Any) -> Any:
    """Turn keys into text, tuples into lists and whole floats into integers: 1.0 equals 1."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a config holds {value}")
        return int(value) if value.is_integer() else value
    return value


def hash_identity(identity: Mapping[str, Any]) -> str:
    """Return a run_id: 16 hex digits of SHA-256 over the canonical JSON of `identity`.

    Args:
        identity: resolved model (networks, losses, optimizer, seed, precision), data digest,
            batch size, budget, threads, world size. The caller leaves out paths, logging, the
            launcher, scoring and the sweep.
    """
    return hash_text(identity_text(identity))


def identity_text(identity: Mapping[str, Any]) -> str:
    """Return the text that a run_id is a hash of: canonical JSON with the semantics version."""
    return canonical_json({**identity, "semantics_version": SEMANTICS_VERSION})


def with_stable_names(node: Any) -> Any:
    """Return a config with `stable_name` of each `_target_`, so that our files can move."""
    if isinstance(node, Mapping):
        return {
            key: stable_name(item) if key == "_target_" else with_stable_names(item)
            for key, item in node.items()
        }
    return [with_stable_names(item) for item in node] if isinstance(node, list) else node


def stable_name(target: str) -> str:
    """bench.networks.infogan.Generator: infogan.Generator; targets of others stay as they are."""
    if not target.startswith("bench."):
        return target
    name = ".".join(target.split(".")[-2:])
    return RENAMED.get(name, name)


def other_version(what: str, version: object) -> UserError:
    """Return the error for a file of another version, with the commit that reads it."""
    commit = LAST_COMMITS.get(version) if isinstance(version, int) else None
    return UserError(
        f"{what} was made under version {version} of the suite's mathematics; this suite has "
        f"version {SEMANTICS_VERSION}",
        fix=f"commit {commit[:12]} is the last that reads it" if commit else "use a newer suite",
    )


def hash_text(content: str) -> str:
    """Return the first 16 hex digits of SHA-256 of a text."""
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def short_hash(value: Any) -> str:
    """Return 8 hex digits of SHA-256 of a value's canonical JSON, for names of files."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:8]
