"""What the page has beyond the Markdown: claims, leaderboard, charts, and runs to open."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.plotting.style import looks_of
from bench.reporting.analysis.budgets import budget_of
from bench.reporting.charts import budget, dots, histories
from bench.reporting.charts.library import javascript
from bench.reporting.charts.look import CONFIG
from bench.reporting.claims.judged import Judged
from bench.reporting.data.records import RunRecord
from bench.reporting.output import run_details
from bench.reporting.output.leaderboard import COLUMNS, boards_of, order_of
from bench.reporting.output.sections import Section
from bench.reporting.tables.search import search_of


def page_facts(sections: Sequence[Section], claims: Sequence[Judged]) -> dict[str, Any]:
    """What the page has beyond the Markdown: claims, leaderboard, charts, and runs to open."""
    comparisons = [section.comparison for section in sections]
    runs = run_details.run_details(comparisons)
    boards = boards_of(comparisons, runs)
    looks = looks_of(c.name for one in comparisons for c in one.main.group.contenders)
    charts: dict[str, Any] = {
        "config": CONFIG,
        "dots": dots.dots(),
        "scores": histories.scores(),
        "losses": histories.losses(),
        "players": histories.LOSSES,
    }
    tables = {}
    for search in (search_of(c.main) for c in comparisons if c.stage.searches):
        found = [b for b in map(budget_of, search.variants) if b is not None]
        name = f"{search.table.group.slug}-budget"
        charts[name] = budget.budget(search, found, looks)
        tables[name] = budget.table_of(found)
    return {
        "claims": claims,
        "stages": list({id(c.stage): c.stage for c in comparisons}.values()),
        "boards": boards,
        "board": boards[0],
        "order_of": order_of,
        "columns": COLUMNS,
        "live": {b["slug"] for b in boards if not any(line["more"] for line in b["lines"])},
        "charts": charts.keys(),
        "budgets": tables,
        "data": {
            "boards": boards,
            "charts": charts,
            "pictures": _pictures(sections, runs),
            **run_details.as_json(comparisons, runs),
        },
        "library": javascript(),
        "shown_runs": runs.values(),
        "all_runs": len({run.run_id for c in comparisons for run in c.stage.runs}),
    }


def _pictures(sections: Sequence[Section], runs: Mapping[str, RunRecord]) -> dict[str, str]:
    """run_id -> picture in base64, of the runs whose picture no sheet of the page shows."""
    figures = [figure for section in sections for figure in section.figures]
    shown = {sample.run_id for figure in figures for sample in figure.samples if sample.png}
    return {
        run_id: base64.b64encode(run.picture).decode()
        for run_id, run in runs.items()
        if run.picture is not None and run_id not in shown
    }


def as_json(content: Any) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("&", "\\u0026")
