"""Group the rows that may be compared: one data set, one kind of checkpoint, one protocol."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.core.errors import UserError
from bench.core.text import file_name
from bench.reporting.data.protocols import (
    MEASURES_APART,
    comparable_part,
    hash_without_checkpoint,
    with_measures,
)
from bench.reporting.data.records import RunRecord, StageRecord
from bench.reporting.tables.methods import DIRECTIONS, Method, SeedRun, TableGroup
from bench.runs.identity import canonical_json, short_hash
from bench.runs.rows import RUN_SETTINGS, Row, measure_identity, sort_for_display

GroupKey = tuple[str, str, str, str]  # data set, name of protocol, checkpoint, protocol's hash
MethodKey = tuple[str, tuple[str, ...]]  # a variant and its settings


def group_rows(stage: StageRecord) -> tuple[TableGroup, ...]:
    """Group the rows of a stage by data set, protocol and checkpoint.

    Rows of conditional and of unconditional runs have different protocols, and so different groups.

    Raises:
        UserError: a row's protocol does not name its extractor and the directions of its scores.
    """
    groups: dict[GroupKey, dict[str, Row]] = {}  # run_id -> row
    protocols: dict[GroupKey, dict[str, Any]] = {}
    rows = [row for run in stage.runs for row in run.rows]
    hashes: dict[int, str] = {}
    for row, protocol in zip(rows, _shared_protocols(rows), strict=True):
        if id(protocol) not in hashes:
            hashes[id(protocol)] = short_hash(protocol)
        name = f"{protocol['name']}{'-conditional' * bool(protocol.get('conditional'))}"
        key = (row.dataset, name, row.checkpoint, hashes[id(protocol)])
        groups.setdefault(key, {})[row.run_id] = row
        protocols[key] = protocol
    # groups with equal families differ by checkpoint alone
    families = {key: (key[0], hash_without_checkpoint(protocols[key])) for key in groups}
    slugs = _slugs(sorted(groups), "" if stage.stage == "all" else f"{stage.stage}-")
    runs_by_dataset = _runs_by_dataset(stage)
    tables = []
    for key in sorted(groups):
        dataset, members = key[0], groups[key].values()
        measures = {name: measure for row in members for name, measure in row.measures.items()}
        directions = {score: way for row in members for score, way in row.directions.items()}
        protocol = with_measures(protocols[key], measures)
        family = (groups[k].values() for k in groups if families[k] == families[key])
        # a run that did not finish counts at every checkpoint
        rows_by_run = {r.run_id: r for rs in family for r in rs if r.status != "finished"}
        rows_by_run |= groups[key]
        only_protocol = len({families[k] for k in groups if k[0] == dataset}) == 1
        baselines = list(_baselines_of(stage, dataset, protocol))
        table = TableGroup(
            slug=slugs[key],
            dataset=dataset,
            checkpoint=key[2],
            protocol=protocol,
            metrics=_in_order(directions, members),
            methods=_methods(
                runs_by_dataset[dataset],
                rows_by_run,
                only_protocol=only_protocol,
                of_grid=bool(stage.factors),
            ),
            real_baseline=tuple(row for row in baselines if row.variant == "real"),
            split_half=tuple(row for row in baselines if row.variant == "real_halves"),
            real_picture=next(
                (p for row in baselines if (p := stage.real_pictures.get(row.run_id))), None
            ),
            factors=stage.factors,
        )
        tables.append(table)
    return tuple(tables)


def _in_order(directions: Mapping[str, str], rows: Collection[Row]) -> dict[str, str]:
    """Sort scores for display; the first, which orders the table, is one that all runs have."""
    ordered = sort_for_display(directions)
    finished = [row for row in rows if row.status == "finished"]
    whole = [name for name in ordered if all(name in row.scores for row in finished)]
    return {name: ordered[name] for name in dict.fromkeys((*whole[:1], *ordered))}


def _shared_protocols(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return for each row the protocol that comparable rows share: one object where equal.

    Where a run was scored twice under different choices of its own, those choices stay in the
    protocol and separate the rows; so do the arguments of a measure that occurs with several.
    """
    bases: dict[int, tuple[str, dict[str, Any]]] = {}  # rows of one protocol share the object
    for row in rows:
        _check_row(row)
        if id(row.protocol) not in bases:
            base = comparable_part(row.protocol)
            bases[id(row.protocol)] = (short_hash(base), base)
    values_by_run: dict[GroupKey, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    separating: dict[GroupKey, set[str]] = defaultdict(set)
    kinds: dict[GroupKey, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    seen: set[tuple[GroupKey, int]] = set()
    keys = []
    for row in rows:
        key = (row.dataset, row.checkpoint, bases[id(row.protocol)][0], "")
        keys.append(key)
        if (key, id(row.measures)) not in seen:  # rows of one protocol share this object too
            seen.add((key, id(row.measures)))
            for name, measure in row.measures.items():
                kinds[key][name].add(canonical_json(measure_identity(measure)))
        for choice in RUN_SETTINGS:
            values = values_by_run[(*key[:3], row.run_id)][choice]
            values.add(repr(row.protocol.get(choice)))
            if len(values) > 1:
                separating[key].add(choice)
    protocols: dict[tuple[Any, ...], dict[str, Any]] = {}
    shared = []
    for row, key in zip(rows, keys, strict=True):
        choices = {choice: row.protocol.get(choice) for choice in sorted(separating[key])}
        if apart := sorted(name for name, found in kinds[key].items() if len(found) > 1):
            present = {name: row.measures[name] for name in apart if name in row.measures}
            choices[MEASURES_APART] = {n: measure_identity(m) for n, m in present.items()}
        protocol_key = (key, repr(choices))
        if protocol_key not in protocols:
            protocols[protocol_key] = bases[id(row.protocol)][1] | choices
        shared.append(protocols[protocol_key])
    return shared


def _check_row(row: Row) -> None:
    directions = row.directions
    named = {"name", "extractor"} <= set(row.protocol)
    if not (directions and named and set(directions.values()) <= set(DIRECTIONS)):
        lacks = "its protocol lacks a name or an extractor, or its measures lack scores that are"
        message = f"{row.run_id}/{row.file_name()}: {lacks} each 'lower' or 'higher'"
        raise UserError(message, fix="move the file away and score the run again")


def _slugs(keys: Iterable[GroupKey], prefix: str) -> dict[GroupKey, str]:
    """Return dataset-protocol, with the checkpoint unless final, with a hash where names clash.

    Names become parts of file names: see `bench.core.text.file_name`.
    """
    names = {k: "-".join([*k[:2], *([k[2]] if k[2] != "final" else [])]) for k in keys}
    slugs = {k: file_name(prefix + name) for k, name in names.items()}
    taken = list(slugs.values())
    hashed = {k: f"{s}-{k[3]}" if taken.count(s) > 1 else s for k, s in slugs.items()}
    taken = list(hashed.values())  # names that underscores made equal, under one protocol
    return {k: f"{s}-{short_hash(list(k))}" if taken.count(s) > 1 else s for k, s in hashed.items()}


def _runs_by_dataset(stage: StageRecord) -> dict[str, list[tuple[MethodKey, RunRecord]]]:
    """Return data set -> its runs in the plan's order, each with the method that it belongs to.

    In a search one method is a variant with all its configurations: only entries that choose a
    whole config group, optimizer=rmsprop say, make a method of their own.
    """
    runs: dict[str, list[tuple[MethodKey, RunRecord]]] = defaultdict(list)
    for run in stage.runs:
        groups = (o for o in run.settings if "." not in o.partition("=")[0])
        key = (run.variant, tuple(groups) if stage.is_search else run.settings)
        for dataset in {row.dataset for row in run.rows} or {run.dataset}:
            runs[dataset].append((key, run))
    return runs


def _methods(
    runs: Sequence[tuple[MethodKey, RunRecord]],
    rows: Mapping[str, Row],
    *,
    only_protocol: bool,
    of_grid: bool = False,
) -> tuple[Method, ...]:
    """Return the methods in the plan's order, with their diverged runs and those without a row.

    Args:
        only_protocol: the data set has one protocol, so that a run without a row belongs here.
        of_grid: methods are the cells of a grid, named without the variant where all have one.
    """
    runs_by_method: dict[MethodKey, list[SeedRun]] = {}
    for key, run in runs:
        if run.run_id in rows or (only_protocol and not run.rows):
            runs_by_method.setdefault(key, [])
    for key, run in runs:
        lost = not run.rows or run.status == "diverged"  # whichever protocol its row has
        if key in runs_by_method and (run.run_id in rows or lost):
            runs_by_method[key].append(SeedRun(run, rows.get(run.run_id)))
    marks = {key: _source_mark(members) for key, members in runs_by_method.items()}
    methods = []
    for key, members in runs_by_method.items():
        alike = [other for other in runs_by_method if marks[other] == marks[key]]
        name = _name(key, alike)
        if of_grid and len({variant for variant, _ in runs_by_method}) == 1:
            name = name.removeprefix(f"{key[0]} (").removesuffix(")")
        methods.append(Method(name + marks[key], key[0], tuple(members)))
    return tuple(methods)


def _source_mark(runs: Sequence[SeedRun]) -> str:
    """Return " [quick]" for runs of that published study, " [quick in part]" beside own ones."""
    sources = sorted({run.source for run, _ in runs})
    part = " in part" if sources[:1] == [""] else ""
    return f" [{', '.join(filter(None, sources))}{part}]" if any(sources) else ""


def _name(key: MethodKey, keys: Iterable[MethodKey]) -> str:
    """Return wgan, or wgan (learning_rate=0.001) where wgan occurs with other settings too."""
    variant, settings = key
    settings_of_variant = [set(other) for name, other in keys if name == variant]
    own = [s for s in settings if not all(s in other for other in settings_of_variant)]
    distinct = [s.removeprefix("hyperparameters.") for s in own]
    if not distinct and len(settings_of_variant) > 1:
        distinct = ["as it is"]
    return f"{variant} ({', '.join(distinct)})" if distinct else variant


def _baselines_of(stage: StageRecord, dataset: str, protocol: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of real samples, with the scores whose measures are those of the group.

    Data set and protocol agree, except in which real samples stand on which side.
    """
    for row in stage.baselines:
        free = {"n_fake", "floor", "chosen", "measures", MEASURES_APART}
        free |= set() if row.variant == "real" else {"n_real", "split", "data"}
        group_fields, baseline_fields = (
            {k: v for k, v in comparable_part(p).items() if k not in free}
            for p in (protocol, row.protocol)
        )
        if row.dataset == dataset and group_fields == baseline_fields:
            found = protocol["measures"]
            same = [n for n, m in row.measures.items() if found.get(n) == measure_identity(m)]
            yield row.only(same)
