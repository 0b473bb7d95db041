"""Render report.md and index.html from one set of template variables."""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.core.text import printable
from bench.plotting.style import inline_svg
from bench.reporting.analysis.factorial import read_factorial
from bench.reporting.archive.row_table import ROW_COLUMNS
from bench.reporting.claims.claim import OPEN
from bench.reporting.data.licences import licences_of
from bench.reporting.data.records import RunRecord
from bench.reporting.output import effects_table, summary_paragraph
from bench.reporting.output.interactive import build_page_data, format_script_json
from bench.reporting.output.provenance import describe_run_environments
from bench.reporting.output.run_details import select_runs
from bench.reporting.output.sections import Report
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import checkpoint_names, checkpoint_rows
from bench.reporting.tables.published import is_published_quantity
from bench.reporting.tables.search import summarise_search
from bench.reporting.tables.summary import LEVEL
from bench.reporting.text import cells, markdown, words
from bench.reporting.text.search_table import COLUMN_TITLES, search_rows
from bench.runs.record import training_command
from bench.stats import INTERVAL_RUNS

TEMPLATES = Path(__file__).parents[1] / "templates"
LONG_WORD = 30  # characters of a name's word from which on the page breaks it
RunEntry = tuple[RunRecord, str, str]  # a run, which of its variant's it is, its score


def render_markdown(report: Report) -> str:
    """Render the report as Markdown, with links to the images in figures/."""
    shown = select_runs([section.comparison for section in report.sections]).values()
    variables = _variables(report) | {"runs": _run_entries(shown, report)}
    variables["unlisted"] = len(report.sweep.runs) - len(shown)
    return _render("report.md.j2", variables, escape=False)


def render_html(report: Report) -> str:
    """Render the report as one page that needs no other file and no network."""
    variables = _variables(report) | build_page_data(report.sections)
    variables["runs"] = _run_entries(variables["shown_runs"], report)
    return _render("index.html.j2", variables, escape=True)


def render_page(template: str, variables: Mapping[str, Any]) -> str:
    """Render another page of the templates' folder; what it prints is escaped for HTML."""
    return _render(template, variables, escape=True)


def _render(template: str, variables: Mapping[str, Any], *, escape: bool) -> str:
    """Render a template; what it prints is escaped for HTML (`escape`), else for Markdown."""
    import jinja2
    from markupsafe import Markup

    def show(value: Any) -> Any:
        if isinstance(value, Markup):
            return value
        return printable(str(value)) if escape else markdown.escape_markdown(str(value))

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=escape,
        finalize=show,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "inline": lambda drawing: Markup(inline_svg(drawing)),  # our own SVG
        "script": Markup,
        "as_json": lambda content: Markup(format_script_json(content)),
        "base64": lambda content: base64.b64encode(content).decode(),
        "label": lambda text: Markup(markdown.escape_label(str(text))),
        "code": lambda text: Markup(markdown.code_span(str(text))),
        "block": lambda text: Markup(printable(str(text))),  # one line of an indented block
    }
    return environment.get_template(template).render(variables)


def _variables(report: Report) -> dict[str, Any]:
    """Build the template variables that Markdown and page share."""
    sweep, sections, claims = report.sweep, report.sections, report.claims
    groups = [section.table.group for section in sections]
    comparisons = [section.comparison for section in sections]
    names = dict.fromkeys(method.variant for group in groups for method in group.methods)
    datasets = dict.fromkeys(group.dataset for group in groups)
    words_of_names = " ".join([*names, *datasets, sweep.name]).split()
    overall = report.overall
    factors = dict.fromkeys(name for group in groups for name in group.factors)
    subject = words.count_phrase(len(names), "variant")
    if factors:
        subject = f"{words.join_with_and(map(words.factor_title, factors))} of {', '.join(names)}"
    heading = f"{subject} on {words.join_with_and(datasets)}"
    return {
        "sweep": sweep,
        "has_long_words": any(len(word) > LONG_WORD for word in words_of_names),
        "heading": heading[0].upper() + heading[1:],
        "run_counts": words.describe_run_counts(sweep.counts),
        "sections": sections,
        "claims": claims,
        "open_verdict": OPEN,
        "overall": overall,
        "overall_test": overall and summary_paragraph.describe_overall_test(overall),
        "describe_comparison": summary_paragraph.describe_comparison,
        "search_rows": lambda section: search_rows(summarise_search(section.table)),
        "search_column_titles": COLUMN_TITLES,
        "opening_paragraph": summary_paragraph.describe_study(comparisons, claims),
        "checkpoint_names": checkpoint_names,
        "checkpoint_rows": checkpoint_rows,
        "licences": licences_of(datasets),
        "cells": cells,
        "words": words,
        "rounding": rounding,
        "is_published_quantity": is_published_quantity,
        "has_score_intervals": lambda rows: any(s.interval for row in rows for s in row.scores),
        "factorials": {group.slug: read_factorial(group) for group in groups},
        "effects_table": effects_table,
        "comparability_notes": words.comparability_notes(groups),
        "environment": describe_run_environments(sweep.runs),
        "row_columns": ROW_COLUMNS,
        "training_command": training_command,
        "level": f"{LEVEL:.0%}",
        "interval_runs": INTERVAL_RUNS,
    }


def _run_entries(runs: Iterable[RunRecord], report: Report) -> dict[str, list[RunEntry]]:
    """Return variant -> entries of its runs, in the order of `runs`."""
    scores: dict[str, list[str]] = {}
    for table in (section.table for section in report.sections):
        places = rounding.decimals_by_metric(table)[table.group.first]
        for method in table.group.methods:
            for value, run in method.scored_runs(table.group.first):
                scores.setdefault(run.run_id, []).append(rounding.format_number(value, places))
    stages = [section.comparison.stage for section in report.sections]
    searched = {run.run_id for stage in stages if stage.is_search for run in stage.runs}
    entries: dict[str, list[RunEntry]] = {}
    for run in runs:
        score = "; ".join(scores.get(run.run_id, [])) or rounding.DASH
        configuration = f"configuration {run.sample}, " if run.run_id in searched else ""
        entries.setdefault(run.variant, []).append((run, f"{configuration}seed {run.seed}", score))
    return entries
