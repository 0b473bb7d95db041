"""report.md and index.html from one set of facts."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.reporting import rounding, view, words
from bench.reporting.lines import ROW_COLUMNS
from bench.reporting.provenance import command_of, environment_facts
from bench.reporting.published import same_quantity
from bench.reporting.sections import Section
from bench.reporting.style import inline
from bench.reporting.summary import ALPHA, LEVEL
from bench.reporting.sweep import Sweep
from bench.stats import INTERVAL_RUNS

TEMPLATES = Path(__file__).with_name("templates")


class RunLine(NamedTuple):
    """A run in the list of all runs."""

    run_id: str
    seed: int
    status: str
    cause: str
    score: str
    command: str


def markdown(sweep: Sweep, sections: Sequence[Section]) -> str:
    """The report as Markdown; figures are links into figures/."""
    return _render("report.md.j2", sweep, sections, escape=False)


def html(sweep: Sweep, sections: Sequence[Section]) -> str:
    """The report as one page without scripts, and with nothing to fetch."""
    return _render("index.html.j2", sweep, sections, escape=True)


def _render(template: str, sweep: Sweep, sections: Sequence[Section], *, escape: bool) -> str:
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
        "base64": lambda content: base64.b64encode(content).decode(),
        "cell": lambda text: str(text).replace("|", "\\|").replace("\n", " "),
    }
    return environment.get_template(template).render(_facts(sweep, sections))


def _facts(sweep: Sweep, sections: Sequence[Section]) -> dict[str, Any]:
    groups = [section.table.group for section in sections]
    names = dict.fromkeys(c.variant for group in groups for c in group.contenders)
    datasets = dict.fromkeys(group.dataset for group in groups)
    heading = f"{words.counted(len(names), 'variant')} on {words.listed(datasets)}"
    return {
        "sweep": sweep,
        "heading": heading[0].upper() + heading[1:],
        "runs_said": words.losses_of_runs(sweep.counts),
        "sections": sections,
        "view": view,
        "words": words,
        "rounding": rounding,
        "same_quantity": same_quantity,
        "apart": words.apart(groups),
        "environment": environment_facts(sweep.runs),
        "runs": _run_lines(sweep, sections),
        "row_columns": ROW_COLUMNS,
        "level": f"{LEVEL:.0%}",
        "interval_runs": INTERVAL_RUNS,
        "alpha": f"{ALPHA:.0%}",
    }


def _run_lines(sweep: Sweep, sections: Sequence[Section]) -> dict[str, list[RunLine]]:
    """variant -> its runs, in the plan's order."""
    scores: dict[str, list[str]] = {}
    for table in (section.table for section in sections):
        places = rounding.places_of(table)[table.group.first]
        for contender in table.group.contenders:
            for value, run in contender.scored(table.group.first):
                scores.setdefault(run.run_id, []).append(rounding.number(value, places))
    found: dict[str, list[RunLine]] = {}
    for run in sweep.runs:
        score = "; ".join(scores.get(run.run_id, [])) or rounding.DASH
        line = RunLine(run.run_id, run.seed, run.status, run.cause, score, command_of(run))
        found.setdefault(run.variant, []).append(line)
    return found
