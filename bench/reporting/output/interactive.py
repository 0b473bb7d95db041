"""Build the data that the page has beyond the Markdown: leaderboard, charts, runs to open."""

import base64
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from bench.core.errors import Caution
from bench.reporting.charts import budget_chart, history_charts, score_chart
from bench.reporting.charts.theme import CONFIG
from bench.reporting.charts.vega_javascript import vega_javascript
from bench.reporting.data.records import RunRecord
from bench.reporting.output import run_details
from bench.reporting.output.leaderboard import COLUMNS, build_boards, sort_board_rows
from bench.reporting.output.sections import Section


def build_page_data(sections: Sequence[Section]) -> dict[str, Any]:
    """Build the template variables of the page's leaderboard, charts and runs."""
    comparisons = [section.comparison for section in sections]
    runs = run_details.select_runs(comparisons)
    boards = build_boards(comparisons, runs)
    charts: dict[str, Any] = {
        "config": CONFIG,
        "dots": score_chart.score_chart(),
        "scores": history_charts.score_history_chart(),
        "losses": history_charts.loss_history_chart(),
        "players": history_charts.LOSSES,
    }
    budget_tables = {}
    for figure in (figure for section in sections for figure in section.figures):
        if figure.chart is not None:
            charts[figure.drawing.name] = budget_chart.budget_chart(figure.chart)
            budget_tables[figure.drawing.name] = budget_chart.budget_table(figure.chart)
    library, static = vega_javascript()
    if static:
        warnings.warn(static, Caution, stacklevel=2)
    return {
        "stages": list({id(c.stage): c.stage for c in comparisons}.values()),
        "boards": boards,
        "board": boards[0],
        "sort_board_rows": sort_board_rows,
        "columns": COLUMNS,
        "live": {b["slug"] for b in boards if not any(row["more"] for row in b["lines"])},
        "charts": charts.keys(),
        "budgets": budget_tables,
        "data": {
            "boards": boards,
            "charts": charts,
            "pictures": _encode_pictures(sections, runs),
            **run_details.build_run_data(comparisons, runs),
        },
        "library": library,
        "static": static,
        "shown_runs": runs.values(),
        "all_runs": len({run.run_id for c in comparisons for run in c.stage.runs}),
    }


def _encode_pictures(sections: Sequence[Section], runs: Mapping[str, RunRecord]) -> dict[str, str]:
    """Return run_id -> picture in base64, of runs whose picture no figure of the page shows."""
    figures = [figure for section in sections for figure in section.figures]
    shown = {sample.run_id for figure in figures for sample in figure.samples if sample.png}
    return {
        run_id: base64.b64encode(run.picture).decode()
        for run_id, run in runs.items()
        if run.picture is not None and run_id not in shown
    }


def format_script_json(content: Any) -> str:
    """Format JSON so that it can stand inside a script element."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("&", "\\u0026")
