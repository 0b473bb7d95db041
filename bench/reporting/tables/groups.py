"""Which rows may be compared: one dataset, one kind of checkpoint, one protocol."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.core.errors import UserError
from bench.reporting.data.protocols import comparable, sibling
from bench.reporting.data.records import RunRecord, StageRecord
from bench.reporting.tables.methods import DIRECTIONS, Group, Method, SeedRun
from bench.runs.identity import short_hash
from bench.runs.rows import OWN_CHOICES, Row, in_order

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
Key = tuple[str, str, str, str]  # dataset, protocol's name, checkpoint, hash of what is shared
Kind = tuple[str, tuple[str, ...]]  # a variant and its settings


def group_rows(sweep: StageRecord) -> tuple[Group, ...]:
    """The groups of a stage, by dataset, protocol and checkpoint.

    Raises:
        UserError: a row's protocol does not name its extractor and the directions of its scores.
    """
    found: dict[Key, dict[str, Row]] = {}
    shared: dict[Key, dict[str, Any]] = {}
    rows = [row for run in sweep.runs for row in run.rows]
    hashes: dict[int, str] = {}
    for row, protocol in zip(rows, _shared_protocols(rows), strict=True):
        if id(protocol) not in hashes:
            hashes[id(protocol)] = short_hash(protocol)
        key = (row.dataset, str(protocol["name"]), row.checkpoint, hashes[id(protocol)])
        found.setdefault(key, {})[row.run_id] = row
        shared[key] = protocol
    kin = {key: (key[0], sibling(shared[key])) for key in found}
    slugs = _slugs(sorted(found), "" if sweep.stage == "all" else f"{sweep.stage}-")
    kinds = _kinds(sweep)
    return tuple(
        Group(
            slug=slugs[key],
            dataset=key[0],
            checkpoint=key[2],
            protocol=shared[key],
            metrics=shared[key]["metrics"],
            contenders=_contenders(
                kinds[key[0]],
                _scoreless(found[k] for k in found if kin[k] == kin[key]) | found[key],
                alone=len({kin[k] for k in found if k[0] == key[0]}) == 1,
            ),
            floor=_floors(sweep, key[0], shared[key], "real"),
            bias=_floors(sweep, key[0], shared[key], "real_halves"),
        )
        for key in sorted(found)
    )


def _scoreless(tables: Iterable[Mapping[str, Row]]) -> dict[str, Row]:
    """Rows without scores: a run that diverged has one alone, and counts at every checkpoint."""
    rows = (row for table in tables for row in table.values())
    return {row.run_id: row for row in rows if row.status != "finished"}


def _shared_protocols(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What each row shares with those that it may be compared with: the same object where equal.

    Where one run was scored twice, under another choice of its own, the choice parts the rows.
    """
    bases: dict[int, tuple[str, dict[str, Any]]] = {}  # rows of one protocol share the object
    for row in rows:
        if id(row.protocol) not in bases:
            base = comparable({**row.protocol, "metrics": _metrics(row)})
            bases[id(row.protocol)] = (short_hash(base), base)
    seen: dict[Key, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    parting: dict[Key, set[str]] = defaultdict(set)
    keys = []
    for row in rows:
        key = (row.dataset, row.checkpoint, bases[id(row.protocol)][0], "")
        keys.append(key)
        for choice in OWN_CHOICES:
            values = seen[(*key[:3], row.run_id)][choice]
            values.add(repr(row.protocol.get(choice)))
            if len(values) > 1:
                parting[key].add(choice)
    made: dict[tuple[Any, ...], dict[str, Any]] = {}
    found = []
    for row, key in zip(rows, keys, strict=True):
        own = {choice: row.protocol.get(choice) for choice in sorted(parting[key])}
        known = (key, repr(own))
        if known not in made:
            made[known] = bases[id(row.protocol)][1] | own
        found.append(made[known])
    return found


def _metrics(row: Row) -> dict[str, str]:
    """Name -> direction, the Frechet distance first, the others by name."""
    metrics = row.protocol.get("metrics")
    named = isinstance(metrics, Mapping) and set(metrics.values()) <= set(DIRECTIONS)
    if not (metrics and named and {"name", "extractor"} <= set(row.protocol)):
        raise UserError(
            f"{row.run_id}/rows/{row.file_name()}: its protocol lacks a name, an extractor, or "
            "metrics that are each 'lower' or 'higher'",
            fix="move the file away and score the run again",
        )
    return in_order(metrics)


def _slugs(keys: Iterable[Key], prefix: str) -> dict[Key, str]:
    """dataset-protocol, with the checkpoint unless final, with the hash where names clash.

    What cannot be in the name of a file, a slash say, becomes an underscore.
    """
    slugs = {
        k: UNSAFE.sub("_", prefix + "-".join([*k[:2], *([k[2]] if k[2] != "final" else [])]))
        for k in keys
    }
    taken = list(slugs.values())
    found = {k: f"{s}-{k[3]}" if taken.count(s) > 1 else s for k, s in slugs.items()}
    taken = list(found.values())  # names that underscores made equal, under one protocol
    return {k: f"{s}-{short_hash(list(k))}" if taken.count(s) > 1 else s for k, s in found.items()}


def _kinds(sweep: StageRecord) -> dict[str, list[tuple[Kind, RunRecord]]]:
    """Data set -> its runs in the plan's order, each with the contender that it belongs to.

    In a search a contender is a variant with all its configurations: only whole entries of a
    config group, optimizer=rmsprop say, set another apart.
    """
    found: dict[str, list[tuple[Kind, RunRecord]]] = defaultdict(list)
    for run in sweep.runs:
        whole = (o for o in run.settings if "." not in o.partition("=")[0])
        kind = (run.variant, tuple(whole) if sweep.searches else run.settings)
        for dataset in {row.dataset for row in run.rows} or {run.dataset}:
            found[dataset].append((kind, run))
    return found


def _contenders(
    runs: Sequence[tuple[Kind, RunRecord]], rows: Mapping[str, Row], *, alone: bool
) -> tuple[Method, ...]:
    """Contenders in the plan's order; runs without any row, or that diverged, join their like.

    Args:
        runs: of the data set.
        rows: run_id -> row.
        alone: the data set has one protocol, so that a run without a row belongs here.
    """
    members: dict[Kind, list[SeedRun]] = {}
    for kind, run in runs:
        if run.run_id in rows or (alone and not run.rows):
            members.setdefault(kind, [])
    for kind, run in runs:
        lost = not run.rows or run.status == "diverged"  # under whichever protocol its row is
        if kind in members and (run.run_id in rows or lost):
            members[kind].append(SeedRun(run, rows.get(run.run_id)))
    return tuple(
        Method(_name(kind, members), kind[0], tuple(runs)) for kind, runs in members.items()
    )


def _name(kind: Kind, kinds: Iterable[Kind]) -> str:
    """wgan, or wgan (learning_rate=0.001) where wgan occurs with other settings too."""
    variant, settings = kind
    rivals = [set(other) for name, other in kinds if name == variant]
    own = [s for s in settings if not all(s in rival for rival in rivals)]
    own = [s.removeprefix("hyperparameters.") for s in own]
    if not own and len(rivals) > 1:
        own = ["as it is"]
    return f"{variant} ({', '.join(own)})" if own else variant


def _floors(
    sweep: StageRecord, dataset: str, protocol: Mapping[str, Any], variant: str
) -> tuple[Row, ...]:
    rows = (row for row in sweep.floors if row.variant == variant)
    return tuple(row for row in rows if _is_floor(row, dataset, protocol))


def _is_floor(floor: Row, dataset: str, protocol: Mapping[str, Any]) -> bool:
    """Same dataset and protocol, but for which real samples stand on which side."""
    free = {"n_fake", "floor", "chosen"} | (
        {"n_real", "split", "data"} if floor.variant != "real" else set()
    )
    ours, theirs = (
        {k: v for k, v in comparable(p).items() if k not in free}
        for p in (protocol, floor.protocol)
    )
    ours["metrics"] = theirs["metrics"] = None  # a measure of the training data is no measure here
    ours["measures"] = theirs["measures"] = None
    return floor.dataset == dataset and ours == theirs
