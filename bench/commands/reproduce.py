"""`bench reproduce`: print the exact command, commit and environment of a run."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from bench.config.trust import check_published_overrides
from bench.core.errors import UserError
from bench.core.text import printable
from bench.runs.folder import find_run
from bench.runs.record import (
    PublishedRun,
    describe_run,
    read_overrides,
    read_published_runs,
    training_command,
)


def reproduce_steps(runs_root: Path, rows: str | None, name: str) -> list[str]:
    """Return the lines to print: how to make a run again.

    Args:
        rows: folder of published rows, or None for a stored run.
        name: run_id, or the beginning of one.

    Raises:
        UserError: no such run, or more than one.
    """
    if rows is None:
        folder = find_run(runs_root, name)
        run = describe_run(folder, read_overrides(folder))
        lines = format_steps(run, ["bench", "verify", folder.run_id])
        root = [o for o in folder.read_provenance()["overrides"] if "dataset.root=" in o]
        where = [f"# where its data lay: {root[0]}; add where they lie here"] if root else []
        return [*lines, *map(printable, where)]
    matches = [r for r in read_published_runs(Path(rows)) if r.run_id.startswith(name)]
    if len(matches) != 1:
        message = f"{len(matches)} runs of {rows} begin with {name!r}"
        raise UserError(message, fix="give a whole run_id")
    check_published_overrides(matches[0].overrides, f"run {matches[0].run_id} of {rows}")
    return format_steps(matches[0], ["bench", "verify", "--rows", rows, matches[0].run_id])


def format_steps(run: PublishedRun, verify: Sequence[str]) -> list[str]:
    """Return the lines for one run, with the command that verifies it last.

    A person pastes them into a shell: no name in them starts a line or a command of its own.
    """
    environment, packages = run.environment, run.environment.get("packages", {})
    code = environment.get("code", {})
    trusted = [f"--config-dir={path}" for path in environment.get("config_dirs", [])]
    commit, dirty = environment.get("commit"), environment.get("dirty")
    checkout = "# commit unknown: it was not run from a checkout"
    if commit is not None:
        changes = "  # plus changes that were not committed" if dirty else ""
        checkout = f"git checkout {shlex.quote(str(commit).lstrip('-'))}{changes}"
    versions = " ".join(f"{name}=={version}" for name, version in packages.items() if version)
    lines = [
        f"# run {run.run_id}: {run.variant} on {run.dataset}, seed {run.seed}, {run.status}",
        checkout,
        f"# Python {environment.get('python')}, {environment.get('system')}, "
        f"{environment.get('processor')}, {environment.get('threads')} thread(s), "
        f"device {environment.get('device')}",
        f"# {versions}",
        "pip install -c constraints.txt -e .",
        *(f"# {file} must have the SHA-256 {digest}..." for file, digest in code.items()),
        training_command(run.overrides, environment),
        f"# its generator must have the digest {run.chain.get('generator', 'unknown')}",
        f"# to compare all its digests: {shlex.join([*verify, *trusted])}",
    ]
    return [printable(line) for line in lines]
