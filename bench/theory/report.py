"""results/claims: the story in order, each statement with its figure and its verdict."""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import write_bytes
from bench.plotting.style import inline
from bench.reporting.output.provenance import facts_of
from bench.theory import store
from bench.theory.catalogue import select
from bench.theory.experiment import VERDICTS, Arrays, Experiment, Number, Outcome
from bench.theory.not_covered import OMISSIONS
from bench.theory.runner import concluded

COLUMNS = ("statement", "number", "value", "low", "high", "known")
SUMS = "SHA256SUMS"


def write_report(outcomes: Sequence[Outcome], to: Path) -> Path:
    """Write report.md, index.html, figures, numbers and results; the page's path.

    What lay there of an earlier report and is not of this one is removed.

    Raises:
        DiskError: the folder cannot be written.
    """
    files = contents(outcomes)
    sums = "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in sorted(files.items()))
    before = _listed(to / SUMS)
    for name, content in files.items():
        write_bytes(to / name, content)
    write_bytes(to / SUMS, sums.encode())
    for name in before - files.keys():
        (to / name).unlink(missing_ok=True)
    return to / "index.html"


def contents(outcomes: Sequence[Outcome]) -> dict[str, bytes]:
    """Path inside the folder -> content."""
    files = {
        "report.md": page("claims.md.j2", outcomes, escape=False).encode(),
        "index.html": page("claims.html.j2", outcomes, escape=True).encode(),
        "numbers.csv": numbers_csv(outcomes),
    }
    for outcome in outcomes:
        name = outcome.statement.id
        for picture in outcome.pictures:
            for kind, content in picture.drawing.files.items():
                files[f"figures/{picture.drawing.name}.{kind}"] = content
            if picture.frames:
                files[f"figures/{picture.drawing.name}.gif"] = picture.frames
        files[f"evidence/{name}.npz"] = _evidence(outcome)
    return files


def read_report(folder: Path) -> list[Outcome]:
    """The outcomes of a written report, judged and drawn anew from its results.

    Raises:
        UserError: there are none, or one is damaged.
    """
    found = []
    for one in select([]):
        path = folder / "evidence" / f"{one.id}.npz"
        if path.exists():
            found.append(_outcome(one, path))
    if not found:
        raise UserError(
            f"{folder} holds no results of statements",
            fix="name a folder that `bench claims` wrote, results/claims say",
        )
    return found


def _evidence(outcome: Outcome) -> bytes:
    """All results of a statement in one file, part/array -> numbers."""
    flat = {f"{p}/{n}": array for p, some in outcome.evidence.items() for n, array in some.items()}
    return store.pack(flat, {"quick": outcome.quick, "parts": outcome.about})


def _outcome(statement: Experiment, path: Path) -> Outcome:
    flat, about = store.unpack(path)
    try:
        parts, quick = list(statement.parts(about["quick"])), about["quick"]
        evidence: dict[str, Arrays] = {part: {} for part in parts}
        for name, array in flat.items():
            part, _, rest = name.rpartition("/")
            evidence[part][rest] = array
        if not all(evidence.values()):
            raise KeyError(next(part for part, arrays in evidence.items() if not arrays))
        return concluded(statement, evidence, {p: about["parts"][p] for p in parts}, quick=quick)
    except KeyError as error:
        raise UserError(
            f"{path} does not hold the parts of {statement.id} as they are now: {error}",
            fix="measure it again: `bench claims --to FOLDER`",
        ) from error


def numbers_csv(outcomes: Sequence[Outcome]) -> bytes:
    """All numbers of all statements, one a line, in full."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for outcome in outcomes:
        for number in outcome.finding.numbers:
            bounds = ("" if b is None else repr(float(b)) for b in (number.low, number.high))
            row = (outcome.statement.id, number.name, repr(float(number.value)))
            lines.writerow([*row, *bounds, number.known])
    return text.getvalue().encode()


def page(template: str, outcomes: Sequence[Outcome], *, escape: bool) -> str:
    """The report as Markdown or as one page that needs nothing else."""
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
        "inline": lambda drawing: Markup(inline(drawing)),
        "base64": lambda content: base64.b64encode(content).decode(),
        "value": value_said,
        "interval": interval_said,
        "cell": lambda text: text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " "),
    }
    return environment.get_template(template).render(_facts(outcomes))


def headline(outcomes: Sequence[Outcome]) -> str:
    """How many statements came to which verdict."""
    counts = {v: sum(o.finding.verdict == v for o in outcomes) for v in VERDICTS}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    small = sum(o.quick for o in outcomes)
    marked = f" {small} of them by small budgets alone, and marked so." if small else ""
    what = "statement" if len(outcomes) == 1 else "statements"
    return f"{len(outcomes)} {what} of the seed documents: {said}.{marked}"


def value_said(number: Number) -> str:
    """Four digits."""
    return f"{number.value:.4g}"


def interval_said(number: Number) -> str:
    """Both bounds, or nothing."""
    if number.low is None or number.high is None:
        return ""
    return f"{number.low:.4g} to {number.high:.4g}"


def _facts(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    ids = {outcome.statement.id for outcome in outcomes}
    return {
        "outcomes": outcomes,
        "headline": headline(outcomes),
        "quick": any(outcome.quick for outcome in outcomes),
        "omissions": [text for names, text in OMISSIONS if ids.issuperset(names)],
        "environment": facts_of(
            (about["environment"] for o in outcomes for about in o.about.values()), "part"
        ),
        "chips": dict(zip(VERDICTS, ("good", "half", "bad"), strict=True)),
    }


def _listed(sums: Path) -> set[str]:
    """Names in an earlier report's sums, those inside the folder alone."""
    if not sums.exists():
        return set()
    names = {line.partition("  ")[2] for line in sums.read_text().splitlines()}
    return {n for n in names if n and not Path(n).is_absolute() and ".." not in Path(n).parts}
