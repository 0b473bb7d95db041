"""All experiments, found by listing their folder."""

import importlib
import pkgutil

from bench.core.errors import UserError
from bench.theory import experiments
from bench.theory.experiment import Experiment


def experiments_by_id() -> dict[str, Experiment]:
    """All of them by id, T1 first: what the files t<number>_* of `experiments/` define."""
    names = (module.name for module in pkgutil.iter_modules(experiments.__path__))
    found = [
        importlib.import_module(f"{experiments.__name__}.{name}").STATEMENT
        for name in sorted(names)
    ]
    return {one.id: one for one in found}


def select(ids: list[str]) -> list[Experiment]:
    """The statements of these ids, each once, in the order of all; all for none.

    Raises:
        UserError: there is no such statement.
    """
    every = experiments_by_id()
    wanted = {word.upper() for word in ids}
    unknown = sorted(wanted - every.keys())
    if unknown:
        raise UserError(
            f"there is no statement {', '.join(unknown)}; there are {', '.join(every)}",
            fix="`bench claims --list` shows them",
        )
    return [one for name, one in every.items() if not wanted or name in wanted]
