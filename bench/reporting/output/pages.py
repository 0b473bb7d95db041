"""report.md and index.html from one set of facts."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.plotting.style import inline
from bench.reporting.archive.row_table import ROW_COLUMNS
from bench.reporting.claims.judged import OPEN, Judged
from bench.reporting.data.licences import licences_of
from bench.reporting.data.records import RunRecord, StageRecord
from bench.reporting.output.interactive import as_json, page_facts
from bench.reporting.output.provenance import command_of, environment_facts
from bench.reporting.output.run_details import run_details
from bench.reporting.output.sections import Section
from bench.reporting.output.summary_paragraph import answer, headline, overall_said
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import checkpoint_names, checkpoint_rows
from bench.reporting.tables.overall import overall_of
from bench.reporting.tables.published import same_quantity
from bench.reporting.tables.search import search_of
from bench.reporting.tables.summary import ALPHA, LEVEL
from bench.reporting.text import cells, words
from bench.reporting.text.search_table import HEADS, search_rows
from bench.stats import INTERVAL_RUNS

TEMPLATES = Path(__file__).parents[1] / "templates"


class RunLine(NamedTuple):
    """A run in the list of runs; `which` tells it from the others of its variant."""

    run_id: str
    seed: int
    which: str
    status: str
    cause: str
    score: str
    command: str


def markdown(sweep: StageRecord, sections: Sequence[Section], claims: Sequence[Judged]) -> str:
    """The report as Markdown; figures are links into figures/."""
    shown = run_details([section.comparison for section in sections]).values()
    facts = _facts(sweep, sections, claims)
    facts |= {"runs": _run_lines(shown, sections), "unlisted": len(sweep.runs) - len(shown)}
    return _render("report.md.j2", facts, escape=False)


def html(sweep: StageRecord, sections: Sequence[Section], claims: Sequence[Judged]) -> str:
    """The report as one page that needs nothing else: no file beside it, and no network."""
    facts = _facts(sweep, sections, claims) | page_facts(sections, claims)
    facts["runs"] = _run_lines(facts["shown_runs"], sections)
    return _render("index.html.j2", facts, escape=True)


def _render(template: str, facts: Mapping[str, Any], *, escape: bool) -> str:
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=escape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "inline": lambda drawing: Markup(inline(drawing)),  # our own SVG
        "script": Markup,
        "as_json": lambda content: Markup(as_json(content)),
        "base64": lambda content: base64.b64encode(content).decode(),
        "cell": lambda text: _cell(str(text)),
    }
    return environment.get_template(template).render(facts)


def _cell(text: str) -> str:
    """Text inside a Markdown table, in which nothing is markup."""
    for sign, instead in {"&": "&amp;", "<": "&lt;", "|": "\\|", "\n": " "}.items():
        text = text.replace(sign, instead)
    return text


def _facts(
    sweep: StageRecord, sections: Sequence[Section], claims: Sequence[Judged]
) -> dict[str, Any]:
    groups = [section.table.group for section in sections]
    names = dict.fromkeys(c.variant for group in groups for c in group.contenders)
    datasets = dict.fromkeys(group.dataset for group in groups)
    overall = overall_of([section.comparison for section in sections])
    heading = f"{words.counted(len(names), 'variant')} on {words.listed(datasets)}"
    return {
        "sweep": sweep,
        "heading": heading[0].upper() + heading[1:],
        "runs_said": words.losses_of_runs(sweep.counts),
        "sections": sections,
        "claims": claims,
        "open_verdict": OPEN,
        "overall": overall,
        "overall_said": overall and overall_said(overall),
        "answer": answer,
        "searched": lambda section: search_rows(search_of(section.table)),
        "search_heads": HEADS,
        "headline": headline([section.comparison for section in sections], claims),
        "checkpoint_names": checkpoint_names,
        "checkpoint_lines": checkpoint_rows,
        "licences": licences_of(datasets),
        "view": cells,
        "words": words,
        "rounding": rounding,
        "same_quantity": same_quantity,
        "apart": words.apart(groups),
        "environment": environment_facts(sweep.runs),
        "row_columns": ROW_COLUMNS,
        "level": f"{LEVEL:.0%}",
        "interval_runs": INTERVAL_RUNS,
        "alpha": f"{ALPHA:.0%}",
    }


def _run_lines(runs: Iterable[RunRecord], sections: Sequence[Section]) -> dict[str, list[RunLine]]:
    """variant -> its runs, in the order given."""
    scores: dict[str, list[str]] = {}
    for table in (section.table for section in sections):
        places = rounding.places_of(table)[table.group.first]
        for contender in table.group.contenders:
            for value, run in contender.scored(table.group.first):
                scores.setdefault(run.run_id, []).append(rounding.number(value, places))
    searched = {
        run.run_id
        for s in sections
        if s.comparison.stage.searches
        for run in s.comparison.stage.runs
    }
    found: dict[str, list[RunLine]] = {}
    for run in runs:
        score = "; ".join(scores.get(run.run_id, [])) or rounding.DASH
        which = f"configuration {run.sample}, " if run.run_id in searched else ""
        which += f"seed {run.seed}"
        line = RunLine(run.run_id, run.seed, which, run.status, run.cause, score, command_of(run))
        found.setdefault(run.variant, []).append(line)
    return found
