"""Format the cells of tables as text, for Markdown, the page, LaTeX and the terminal alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import NamedTuple

from bench.reporting.tables import rounding
from bench.reporting.tables.methods import Method
from bench.reporting.tables.published import is_study_method, published_for
from bench.reporting.tables.summary import Cell, Table, TableRow, median_fact
from bench.reporting.text import words
from bench.runs.rows import Row

SHORT_LIST = 5  # scores that a table shows at first; the others are a click or a file away
COST_TITLES = (
    "variant", "finished", "diverged", "failed", "unfinished", "d steps", "g steps", "images",
    "training time", "peak GiB",
)  # fmt: skip


class ScoreText(NamedTuple):
    """One score as text: mean with spread, range, and interval; each empty if there is none."""

    mean: str
    range: str
    interval: str


@dataclass(frozen=True)
class ScoreRow:
    """A row of the table of scores.

    Args:
        study: whether the variant is one of the study's eight.
        is_baseline: whether the scores are of real samples instead of a method.
        seeds: scored runs, "1 of 2" if others gave no score; empty for real samples.
        lost: what happened to those others: "2 diverged, 1 failed".
        letters: letters shared by methods without significant difference.
    """

    name: str
    variant: str
    study: bool
    is_baseline: bool
    seeds: str
    lost: str
    letters: str
    scores: tuple[ScoreText, ...]


def has_intervals(table: Table) -> bool:
    """Return whether some mean of the first metric has an interval."""
    cells = (row.cells.get(table.group.first) for row in table.rows)
    return any(cell is not None and cell.interval is not None for cell in cells)


def score_rows(table: Table) -> list[ScoreRow]:
    """Return the methods' rows in the table's order, then those of real samples if scored."""
    places = rounding.decimals_by_metric(table)
    rows = [_method_row(table, row, places) for row in table.rows]
    for name, kind, cells in real_baselines(table):
        decimals = {m: max(places[m], rounding.column_decimals([c.mean])) for m, c in cells.items()}
        scores = tuple(_score_text(cells.get(m), decimals.get(m, 0)) for m in places)
        variant = "real" if kind == "floor" else "real_halves"
        rows.append(ScoreRow(name, variant, False, True, "", "", "", scores))
    return rows


def real_baselines(table: Table) -> list[tuple[str, str, Mapping[str, Cell]]]:
    """Return (name, "floor" or "bias", cells) of real samples scored in place of generated ones."""
    floor, bias = table.real_baseline, table.split_half
    baselines = (("real", "floor", floor), ("real_halves", "bias", bias))
    return [(_baseline_name(table, name), kind, cells) for name, kind, cells in baselines if cells]


def runs_without_score(method: Method) -> str:
    """Return "2 diverged, 1 failed"; empty if all runs finished."""
    counts = method.counts.items()
    return ", ".join(f"{count} {word}" for word, count in counts if count and word != "finished")


def noise_rows(table: Table) -> list[tuple[str, str, str]]:
    """Return (metric, median sd over training seeds, median sd over latent seeds), if measured."""
    noise = []
    for metric in table.group.metrics:
        cells = [row.cells[metric] for row in table.rows if metric in row.cells]
        seed_sds = [cell.sd for cell in cells if cell.sd is not None]
        if latent_sds := table.group.details(f"{metric}.latent_sd"):
            seeds = rounding.format_two_digits(median(seed_sds)) if seed_sds else rounding.DASH
            noise.append((metric, seeds, rounding.format_two_digits(median(latent_sds))))
    return noise


class ClassTable(NamedTuple):
    """Accuracies by class as text: titles of the columns, and a row for each class."""

    titles: tuple[str, ...]
    rows: list[tuple[str, ...]]


def class_table(table: Table) -> ClassTable | None:
    """Return class, share of the samples, accuracy of each method and of real data; None if none.

    Means over the finished runs of a method, and over the real samples of another split.
    """
    details = {row.name: _finished_details(row.method.rows) for row in table.rows}
    real = [row.details for row in table.group.real_baseline]
    methods = [name for name, found in details.items() if _class_means(found, "class")]
    if not methods:
        return None
    accuracy = [_class_means(details[name], "class") for name in methods]
    accuracy += [_class_means(real, "class")] if real else []
    share = _class_means([one for name in methods for one in details[name]], "share")
    titles = ("class", "share", *methods, *["real"] * bool(real))
    rows = [
        (str(k), *(f"{column[k]:.3f}" if k in column else rounding.DASH for column in columns))
        for columns in [(share, *accuracy)]
        for k in sorted(share)
    ]
    return ClassTable(titles, rows)


def _finished_details(rows: Iterable[Row]) -> list[Mapping[str, float]]:
    return [row.details for row in rows if row.status == "finished"]


def _class_means(details: Sequence[Mapping[str, float]], what: str) -> dict[int, float]:
    """Return class -> mean of its "class_accuracy.class_3" or "class_accuracy.share_3"."""
    start = f"class_accuracy.{what}_"
    names = {name for one in details for name in one if name.startswith(start)}
    values = {name: [one[name] for one in details if name in one] for name in names}
    return {int(n.removeprefix(start)): fmean(v) for n, v in values.items()}


def copying_methods(table: Table) -> list[str]:
    """Return methods with runs that repeat training images: "wgan (2 of 4 runs)"."""
    names = []
    for row in table.rows:
        rows = row.method.rows
        if flagged := sum(r.details.get("memorised.excess_low", 0.0) > 0 for r in rows):
            names.append(f"{row.name} ({flagged} of {len(rows)} runs)")
    return names


def cost_rows(table: Table) -> list[tuple[str, ...]]:
    """Return each method's counts of runs, then the finished ones' medians, under COST_TITLES."""
    costs = []
    for method in (row.method for row in table.rows):
        counts = [method.counts[outcome] for outcome in ("finished", "diverged", "failed")]
        counts.append(method.counts["unfinished"] + method.counts["missing"])
        outcomes = (str(count or rounding.DASH) for count in counts)
        medians = (median_fact(method, fact) for fact in ("d_steps", "g_steps", "images"))
        seconds = rounding.format_time(median_fact(method, "wall_seconds"))
        peaks = (m.run.facts.get("peak_memory_gib") for m in method.runs)
        memory = rounding.format_fact(max((p for p in peaks if p is not None), default=None), 2)
        steps = map(rounding.format_fact, medians)
        costs.append((method.name, *outcomes, *steps, seconds, memory))
    return costs


def published_rows(table: Table) -> list[tuple[str, str, str, str]]:
    """Return (name, the study's number, the measured one, source); none for other data sets."""
    published, metric = published_for(table.group), table.group.first
    places = rounding.decimals_by_metric(table)[metric]
    rows = []
    for row in table.rows:
        theirs, ours = published.get(row.method.variant), row.cells.get(metric)
        if theirs is not None:
            source = theirs.source if theirs.verified else f"{theirs.source}, unverified"
            fid = f"{theirs.mean:.1f} {rounding.PLUS_MINUS} {theirs.sd:.1f}"
            rows.append((row.name, fid, rounding.format_mean_sd(ours, places), source))
    return rows


def _method_row(table: Table, row: TableRow, places: Mapping[str, int]) -> ScoreRow:
    method = row.method
    scored, all_runs = len(method.scored_runs(table.group.first)), len(method.runs)
    return ScoreRow(
        name=row.name,
        variant=method.variant,
        study=is_study_method(method),
        is_baseline=False,
        seeds=f"{scored}" if scored == all_runs else f"{scored} of {all_runs}",
        lost=runs_without_score(method),
        letters=table.ranking.letters.get(row.name, ""),
        scores=tuple(_score_text(row.cells.get(m), p) for m, p in places.items()),
    )


def _score_text(cell: Cell | None, places: int) -> ScoreText:
    if cell is None:
        return ScoreText(rounding.DASH, "", "")
    low, high = (rounding.format_number(value, places) for value in (cell.low, cell.high))
    interval = ""
    if cell.interval is not None:
        bounds = (rounding.format_number(bound, places) for bound in cell.interval)
        interval = f"[{', '.join(bounds)}]"
    mean = rounding.format_mean_sd(cell, places)
    return ScoreText(mean, f"{low} to {high}" if cell.n > 1 else "", interval)


def _baseline_name(table: Table, variant: str) -> str:
    """Name which real samples replaced generated ones, and how many if they were fewer."""
    wanted = table.group.protocol.get("n_fake")
    if variant == "real_halves":
        rows = table.group.split_half
        return f"real ({rows[0].protocol['split']} vs itself, {rows[0].protocol['n_real']:,} each)"
    split = table.group.protocol.get("split", "test")
    protocols = [row.protocol for row in table.group.real_baseline]
    sources = sorted({str(protocol.get("floor", "train")) for protocol in protocols})
    name = f"real ({words.join_with_and(sources)} vs {split})"
    counts = sorted({protocol.get("n_fake", wanted) for protocol in protocols})
    others = [f"{count:,}" for count in counts if count != wanted]
    return f"{name[:-1]}, {words.join_with_and(others)} samples)" if others else name
