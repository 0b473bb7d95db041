"""Tables as text in cells: what Markdown, the page and the terminal all show."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from bench.reporting.tables import rounding
from bench.reporting.tables.methods import Method
from bench.reporting.tables.published import published_for, study
from bench.reporting.tables.summary import Cell, Table, TableRow, middle
from bench.reporting.text import words


class Score(NamedTuple):
    """A cell: mean with spread, range, and interval; empty strings for what there is not."""

    mean: str
    range: str
    interval: str


@dataclass(frozen=True)
class ScoreRow:
    """A line of the table of scores.

    Args:
        seeds: scored runs, "1 of 2" where others gave no score; empty for the floor.
        lost: what became of those others.
        letters: of the groups without significant difference.
    """

    name: str
    variant: str
    study: bool
    floor: bool
    seeds: str
    lost: str
    letters: str
    scores: tuple[Score, ...]


class Noise(NamedTuple):
    """A line of the table of noise: medians of standard deviations."""

    metric: str
    seeds: str
    latents: str


class Cost(NamedTuple):
    """A line of the table of runs and cost: counts of runs, then medians of the finished ones."""

    name: str
    finished: str
    diverged: str
    failed: str
    unfinished: str
    d_steps: str
    g_steps: str
    images: str
    seconds: str
    memory: str


class PublishedRow(NamedTuple):
    """A line of the table of published numbers."""

    name: str
    published: str
    measured: str
    source: str


def score_rows(table: Table) -> list[ScoreRow]:
    """The contenders in the table's order, then the floor where there is one."""
    places = rounding.places_of(table)
    shown = [_shown(table, line, places) for line in table.lines]
    for name, kind, cells in floors(table):
        scores = tuple(
            _score(cells.get(m), max(p, rounding.decimals([cells[m].mean])) if m in cells else 0)
            for m, p in places.items()
        )
        variant = "real" if kind == "floor" else "real_halves"
        shown.append(ScoreRow(name, variant, False, True, "", "", "", scores))
    return shown


def floors(table: Table) -> list[tuple[str, str, Mapping[str, Cell]]]:
    """Real samples in place of generated ones: name, "floor" or "bias", and scores."""
    found = (("real", "floor", table.floor), ("real_halves", "bias", table.bias))
    return [(_real_name(table, name), kind, cells) for name, kind, cells in found if cells]


def lost_runs(contender: Method) -> str:
    """2 diverged, 1 failed; empty where all finished."""
    counts = contender.counts.items()
    return ", ".join(f"{count} {word}" for word, count in counts if count and word != "finished")


def noise_rows(table: Table) -> list[Noise]:
    """For each score the spread over training seeds beside that over latent seeds."""
    lines = []
    for metric in table.group.metrics:
        seeds = [
            c.sd for c in (line.cells.get(metric) for line in table.lines) if c and c.sd is not None
        ]
        rows = [m.row for m in table.group.members if m.row is not None]
        key = f"{metric}.latent_sd"
        latents = [row.details[key] for row in rows if key in row.details]
        if latents:
            ours = rounding.significant(median(seeds)) if seeds else rounding.DASH
            lines.append(Noise(metric, ours, rounding.significant(median(latents))))
    return lines


def copiers(table: Table) -> list[str]:
    """Contenders with runs that repeat training images: "wgan (2 of 4 runs)"."""
    found = []
    for line in table.lines:
        rows = [m.row for m in line.contender.members if m.row is not None]
        flagged = [row for row in rows if row.details.get("memorised.excess_low", 0.0) > 0]
        if flagged:
            found.append(f"{line.name} ({len(flagged)} of {len(rows)} runs)")
    return found


def cost_rows(table: Table) -> list[Cost]:
    """What the runs of each contender came to and took."""
    lines = []
    for contender in (line.contender for line in table.lines):
        counts = contender.counts
        peaks = [m.run.facts.get("peak_memory_gib") for m in contender.members]
        known = [peak for peak in peaks if peak is not None]
        lines.append(
            Cost(
                name=contender.name,
                finished=str(counts["finished"] or rounding.DASH),
                diverged=str(counts["diverged"] or rounding.DASH),
                failed=str(counts["failed"] or rounding.DASH),
                unfinished=str(counts["unfinished"] + counts["missing"] or rounding.DASH),
                d_steps=rounding.fact(middle(contender, "d_steps")),
                g_steps=rounding.fact(middle(contender, "g_steps")),
                images=rounding.fact(middle(contender, "images")),
                seconds=rounding.fact(middle(contender, "wall_seconds"), 1),
                memory=rounding.fact(max(known, default=None), 2),
            )
        )
    return lines


def published_rows(table: Table) -> list[PublishedRow]:
    """The study's numbers beside ours; none where it has none for this dataset."""
    found, metric = published_for(table.group), table.group.first
    places = rounding.places_of(table)[metric]
    lines = []
    for line in table.lines:
        theirs, ours = found.get(line.contender.variant), line.cells.get(metric)
        if theirs is not None:
            source = theirs.source if theirs.verified else f"{theirs.source}, unverified"
            measured = rounding.DASH if ours is None else rounding.spread(ours, places)
            said = f"{theirs.mean:.1f} {rounding.PLUS_MINUS} {theirs.sd:.1f}"
            lines.append(PublishedRow(line.name, said, measured, source))
    return lines


def _shown(table: Table, line: TableRow, places: Mapping[str, int]) -> ScoreRow:
    contender = line.contender
    scored, all_runs = len(contender.scored(table.group.first)), len(contender.members)
    return ScoreRow(
        name=line.name,
        variant=contender.variant,
        study=contender.variant in study(),
        floor=False,
        seeds=f"{scored}" if scored == all_runs else f"{scored} of {all_runs}",
        lost=lost_runs(contender),
        letters=table.verdict.letters.get(line.name, ""),
        scores=tuple(_score(line.cells.get(m), p) for m, p in places.items()),
    )


def _score(cell: Cell | None, places: int) -> Score:
    if cell is None:
        return Score(rounding.DASH, "", "")
    low, high = (rounding.number(value, places) for value in (cell.low, cell.high))
    interval = ""
    if cell.interval is not None:
        interval = f"[{', '.join(rounding.number(bound, places) for bound in cell.interval)}]"
    return Score(rounding.spread(cell, places), f"{low} to {high}" if cell.n > 1 else "", interval)


def _real_name(table: Table, variant: str) -> str:
    """What real samples stood for generated ones, and how many where they were fewer."""
    wanted = table.group.protocol.get("n_fake")
    if variant == "real_halves":
        rows = table.group.bias
        return f"real ({rows[0].protocol['split']} vs itself, {rows[0].protocol['n_real']:,} each)"
    split = table.group.protocol.get("split", "test")
    sources = sorted({str(row.protocol.get("floor", "train")) for row in table.group.floor})
    name = f"real ({words.listed(sources)} vs {split})"
    counts = sorted({row.protocol.get("n_fake", wanted) for row in table.group.floor})
    others = [f"{count:,}" for count in counts if count != wanted]
    return f"{name[:-1]}, {words.listed(others)} samples)" if others else name
