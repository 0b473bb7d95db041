"""Merge the runs of several studies, so that their methods stand in one table.

Rows, digests and names are data here: nothing that they name is imported or run.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bench.core.errors import UserError
from bench.reporting.data.protocols import list_differences
from bench.reporting.data.records import RunRecord, StageRecord
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.methods import TableGroup
from bench.runs.digests import numbers_by_protocol
from bench.runs.folder import COMPLETED
from bench.runs.rows import Row, merge_rows

SHOWN = 4  # conflicts and differences that an error names; it counts the others


class NamedStudy(NamedTuple):
    """A study under the name that a person gave it: a sweep, or the folder of a report."""

    name: str
    stages: Sequence[StageRecord]


def merge_studies(own: NamedStudy, others: Sequence[NamedStudy], command: str) -> list[StageRecord]:
    """Return the own study's stages with the runs of published ones, each run once.

    The last stage, which holds a study's result, joins the last; the stages before, those of the
    same name. A run that only a published study has is marked by that study's name.

    Args:
        command: command line that makes this report.

    Raises:
        UserError: no data set is in both; the scores of one were made under other protocols; a
            run that both have has other scores or digests in one.
    """
    for other in others:
        check_protocols(own, other)
    runs, conflicts = _merge_runs([own, *others])
    if conflicts:
        raise _refusal("the studies contradict each other", conflicts, "see `bench verify`, which "
                       "repeats a run; then leave out the study that is wrong")  # fmt: skip
    baselines, pictures = _merge_baselines([own, *others])
    members: dict[str, dict[str, RunRecord]] = {}
    heads: dict[str, StageRecord] = {}
    for study in (own, *others):
        for stage in study.stages:
            key = "" if stage is study.stages[-1] else stage.stage
            head = heads.setdefault(key, stage)
            heads[key] = dataclasses.replace(head, factors=head.factors or stage.factors)
            members.setdefault(key, {}).update(
                {
                    r.run_id: dataclasses.replace(
                        runs[r.run_id], overrides=r.overrides, sample=r.sample
                    )
                    for r in stage.runs
                }
            )
    last, name = heads[""], f"{own.name} with {', '.join(other.name for other in others)}"
    return [
        dataclasses.replace(
            heads[key], name=name, command=command, runs=tuple(members[key].values()),
            baselines=baselines, real_pictures=pictures, claims=last.claims,
        )
        for key in (*(key for key in heads if key), "")
    ]  # fmt: skip


def check_protocols(own: NamedStudy, other: NamedStudy) -> None:
    """Check that two studies have scores that may be ranked together.

    Raises:
        UserError: they have no data set in common, or different protocols on one.
    """
    ours, theirs = (group_rows(study.stages[-1]) for study in (own, other))
    names = [", ".join(sorted({g.dataset for g in groups})) for groups in (ours, theirs)]
    if not {g.dataset for g in ours} & {g.dataset for g in theirs}:
        message = f"{own.name} has runs on {names[0]}, {other.name} on {names[1]}"
        raise UserError(message, fix="name a study with a data set of yours")
    for kind in dict.fromkeys((group.dataset, group.checkpoint) for group in ours):
        pairs = [
            list_differences(a.protocol, b.protocol)
            for a in ours
            for b in theirs
            if _kind(a) == _kind(b) == kind
        ]
        if pairs and all(pairs):
            head = f"{own.name} and {other.name} score {' at '.join(kind)} by different protocols"
            fix = "score your runs again by theirs (`bench score RUN score=NAME`); bench report " \
                  "without --with shows yours alone"  # fmt: skip
            raise _refusal(head, min(pairs, key=len), fix)


def _kind(group: TableGroup) -> tuple[str, str]:
    return group.dataset, group.checkpoint


def _refusal(head: str, items: Sequence[str], fix: str) -> UserError:
    more = f"; and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return UserError(f"{head}: {'; '.join(items[:SHOWN])}{more}", fix=fix)


def _merge_runs(studies: Sequence[NamedStudy]) -> tuple[dict[str, RunRecord], list[str]]:
    """Return run_id -> run with the rows of all studies, and sentences on what contradicts."""
    merged: dict[str, RunRecord] = {}
    first_study: dict[str, str] = {}
    conflicts: list[str] = []
    for number, study in enumerate(studies):
        for run in {run.run_id: run for stage in study.stages for run in stage.runs}.values():
            marked = dataclasses.replace(run, source=run.source or (study.name if number else ""))
            if (earlier := merged.get(run.run_id)) is None:
                merged[run.run_id], first_study[run.run_id] = marked, study.name
                continue
            where = f"run {run.run_id} in {first_study[run.run_id]} and {study.name}"
            conflicts += [f"{where}: {text}" for text in _contradictions(earlier, run)]
            merged[run.run_id] = _merge_run(earlier, marked)
    return merged, conflicts


def _contradictions(first: RunRecord, second: RunRecord) -> Iterator[str]:
    """Yield what two records of a run have both, and differently."""
    outcomes = first.status, second.status
    if set(outcomes) <= {*COMPLETED} and outcomes[0] != outcomes[1]:
        yield f"status ({outcomes[0]}, {outcomes[1]})"
    ours, theirs = (numbers_by_protocol(run.rows) for run in (first, second))
    for name in sorted(ours.keys() & theirs.keys()):
        yield from _unequal(name, ours[name], theirs[name])
    yield from _unequal("digests.json", first.digests, second.digests)


def _unequal(place: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    for key in first.keys() & second.keys():
        if first[key] != second[key]:
            yield f"{key} of {place} ({first[key]}, {second[key]})"


def _merge_run(first: RunRecord, second: RunRecord) -> RunRecord:
    """Return the record that has ended, with the rows and digests of both."""
    ended = second if second.status in COMPLETED and first.status not in COMPLETED else first
    return dataclasses.replace(
        ended,
        rows=tuple(merge_rows((*first.rows, *second.rows))),
        digests={**second.digests, **first.digests},
        history=first.history or second.history,
        picture=first.picture or second.picture,
        source=first.source and second.source,
    )


def _merge_baselines(studies: Iterable[NamedStudy]) -> tuple[tuple[Row, ...], dict[str, bytes]]:
    """Return the scores of real samples of all studies, the first study's where two have some."""
    rows: list[Row] = []
    pictures: dict[str, bytes] = {}
    for study in studies:
        for stage in study.stages:
            rows += [row for row in stage.baselines if row not in rows]
            pictures = {**stage.real_pictures, **pictures}
    return tuple(merge_rows(reversed(rows)))[::-1], pictures
