"""All experiments, found by listing the folder `experiments/`."""

import importlib
import pkgutil

from bench.core.errors import UserError
from bench.theory import experiments
from bench.theory.experiment import Experiment


def experiments_by_id() -> dict[str, Experiment]:
    """Return the EXPERIMENT of every file `experiments/tNN_*.py` by its id, T1 first."""
    names = sorted(module.name for module in pkgutil.iter_modules(experiments.__path__))
    modules = [importlib.import_module(f"{experiments.__name__}.{name}") for name in names]
    return {module.EXPERIMENT.id: module.EXPERIMENT for module in modules}


def select(ids: list[str]) -> list[Experiment]:
    """Return the experiments of these ids, each once, T1 first; all of them for no ids.

    Raises:
        UserError: there is no such statement.
    """
    by_id = experiments_by_id()
    wanted = {word.upper() for word in ids}
    unknown = sorted(wanted - by_id.keys())
    if unknown:
        raise UserError(
            f"there is no statement {', '.join(unknown)}; there are {', '.join(by_id)}",
            fix="`bench claims --list` shows them",
        )
    return [experiment for name, experiment in by_id.items() if not wanted or name in wanted]
