"""The statements of the seed documents, each an experiment with a rule: one file a statement.

`run("T11")` measures one, or reads what was measured before, and returns numbers and figures.
"""

import importlib
import pkgutil
from pathlib import Path

from bench.claims.statement import Outcome, Statement
from bench.errors import UserError

__all__ = ["chosen", "run", "statements"]


def statements() -> dict[str, Statement]:
    """All of them by id, T1 first: what the files t<number>_* of this folder define."""
    names = (m.name for m in pkgutil.iter_modules(__path__) if m.name[:3].strip("t_").isdigit())
    found = [importlib.import_module(f"{__name__}.{name}").STATEMENT for name in sorted(names)]
    return {one.id: one for one in found}


def chosen(ids: list[str]) -> list[Statement]:
    """The statements of these ids, each once, in the order of all; all for none.

    Raises:
        UserError: there is no such statement.
    """
    every = statements()
    wanted = {word.upper() for word in ids}
    unknown = sorted(wanted - every.keys())
    if unknown:
        raise UserError(
            f"there is no statement {', '.join(unknown)}; there are {', '.join(every)}",
            fix="`bench claims --list` shows them",
        )
    return [one for name, one in every.items() if not wanted or name in wanted]


def run(name: str, *, quick: bool = False, runs_root: str | Path = "runs") -> Outcome:
    """One statement, measured here and now or read from `runs_root`.

    Raises:
        UserError: there is no such statement, or its results cannot be kept.
    """
    from bench.claims.running import outcomes

    return outcomes(chosen([name]), quick=quick, runs_root=Path(runs_root), processes=1)[0]
