"""Write and read results/claims: every statement in order, with its figure and its verdict."""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import UserError
from bench.core.files import SUMS, find_misfit, read_sums, write_bytes
from bench.plotting.style import inline_svg
from bench.reporting.output.provenance import describe_environments
from bench.runs.identity import SEMANTICS_VERSION, other_version
from bench.theory import store
from bench.theory.catalogue import select
from bench.theory.experiment import VERDICTS, Experiment, Outcome, Quantity
from bench.theory.not_covered import OMISSIONS
from bench.theory.runner import conclude_and_draw

METADATA = {"quick": bool, "parts": {str: {"environment": {"semantics_version?": int}}}}
COLUMNS = ("statement", "number", "value", "low", "high", "known")


def write_report(outcomes: Sequence[Outcome], to: Path) -> Path:
    """Write report.md, index.html, figures, numbers and measurements; return the page's path.

    Files of an earlier report in the same folder that this one does not have are removed.

    Raises:
        DiskError: the folder cannot be written.
    """
    files = report_files(outcomes)
    sums = "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in sorted(files.items()))
    before = read_sums(to / SUMS).keys()
    for name, content in files.items():
        write_bytes(to / name, content)
    write_bytes(to / SUMS, sums.encode())
    for name in before - files.keys():
        (to / name).unlink(missing_ok=True)
    return to / "index.html"


def report_files(outcomes: Sequence[Outcome]) -> dict[str, bytes]:
    """Render all files of a report: path inside the folder -> content."""
    files = {
        "report.md": render_page("claims.md.j2", outcomes, escape=False).encode(),
        "index.html": render_page("claims.html.j2", outcomes, escape=True).encode(),
        "numbers.csv": numbers_csv(outcomes),
    }
    for outcome in outcomes:
        for figure in outcome.figures:
            for kind, content in figure.drawing.files.items():
                files[f"figures/{figure.drawing.name}.{kind}"] = content
            if figure.frames:
                files[f"figures/{figure.drawing.name}.gif"] = figure.frames
        files[f"evidence/{outcome.experiment.id}.npz"] = _pack_results(outcome)
    return files


def read_report(folder: Path) -> list[Outcome]:
    """Read the measurements of a written report, and conclude and draw them anew.

    Raises:
        UserError: there are none, or a file is damaged.
    """
    outcomes = []
    for experiment in select([]):
        path = folder / "evidence" / f"{experiment.id}.npz"
        if path.exists():
            outcomes.append(_read_outcome(experiment, path))
    if not outcomes:
        raise UserError(
            f"{folder} holds no results of statements",
            fix="name a folder that `bench claims` wrote, results/claims say",
        )
    return outcomes


def _pack_results(outcome: Outcome) -> bytes:
    """Pack the measurements of all parts as one .npz: part/array -> numbers."""
    flat = {
        f"{part}/{name}": array
        for part, arrays in outcome.results.items()
        for name, array in arrays.items()
    }
    return store.to_npz(flat, {"quick": outcome.quick, "parts": outcome.provenance})


def _read_outcome(experiment: Experiment, path: Path) -> Outcome:
    flat, metadata = store.read_npz(path)
    try:
        if misfit := find_misfit(metadata, METADATA):
            raise ValueError(misfit)
        quick = metadata["quick"]
        results: dict[str, dict[str, np.ndarray]] = {part: {} for part in experiment.parts(quick)}
        for key, array in flat.items():
            part, _, name = key.rpartition("/")
            results[part][name] = array
        if not all(results.values()):
            raise KeyError(next(part for part, arrays in results.items() if not arrays))
        provenance = {part: metadata["parts"][part] for part in results}
        for version in {p["environment"].get("semantics_version", 1) for p in provenance.values()}:
            if version != SEMANTICS_VERSION:
                raise other_version(str(path), version)
        return conclude_and_draw(experiment, results, provenance, quick=quick)
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} does not hold the parts of {experiment.id} as they are now: {error}",
            fix="measure it again: `bench claims --to FOLDER`",
        ) from error


def numbers_csv(outcomes: Sequence[Outcome]) -> bytes:
    """Write all numbers of all experiments as CSV, one a line, with all their digits."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for outcome in outcomes:
        for number in outcome.result.numbers:
            bounds = ("" if b is None else repr(float(b)) for b in (number.low, number.high))
            row = (outcome.experiment.id, number.name, repr(float(number.value)))
            lines.writerow([*row, *bounds, number.expected])
    return text.getvalue().encode()


def render_page(template: str, outcomes: Sequence[Outcome], *, escape: bool) -> str:
    """Render the report as Markdown or as one HTML page that needs no other file."""
    import base64

    import jinja2
    from markupsafe import Markup

    here = Path(__file__).with_name("templates")
    styles = here.parent.parent / "reporting" / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([here, styles]),
        autoescape=escape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "inline": lambda drawing: Markup(inline_svg(drawing)),
        "base64": lambda content: base64.b64encode(content).decode(),
        "value": format_value,
        "interval": format_interval,
        "cell": lambda text: text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " "),
    }
    return environment.get_template(template).render(_template_values(outcomes))


def headline(outcomes: Sequence[Outcome]) -> str:
    """Say how many statements came to which verdict, in one sentence."""
    counts = {v: sum(o.result.verdict == v for o in outcomes) for v in VERDICTS}
    tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    quick = sum(o.quick for o in outcomes)
    marked = f" {quick} of them by small budgets alone, marked (quick)." if quick else ""
    what = "statement" if len(outcomes) == 1 else "statements"
    return f"{len(outcomes)} {what} about GANs, from slides and a blog post: {tally}.{marked}"


def format_value(number: Quantity) -> str:
    """Format a number's value with four digits."""
    return f"{number.value:.4g}"


def format_interval(number: Quantity) -> str:
    """Format both bounds of a number's interval with four digits; "" for an exact number."""
    if number.low is None or number.high is None:
        return ""
    return f"{number.low:.4g} to {number.high:.4g}"


def _template_values(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    ids = {outcome.experiment.id for outcome in outcomes}
    return {
        "outcomes": outcomes,
        "headline": headline(outcomes),
        "quick": any(outcome.quick for outcome in outcomes),
        "omissions": [text for names, text in OMISSIONS if ids.issuperset(names)],
        "environment": describe_environments(
            (part["environment"] for o in outcomes for part in o.provenance.values()), "part"
        ),
        "chips": dict(zip(VERDICTS, ("good", "half", "bad", "open"), strict=True)),
    }
