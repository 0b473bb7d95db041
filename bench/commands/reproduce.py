"""`bench reproduce`: print the exact command, commit and environment of a run."""

import shlex
from pathlib import Path

from bench.core.errors import UserError
from bench.runs.folder import find_run
from bench.runs.record import PublishedRun, describe_run, read_overrides, read_published_runs


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
        return format_steps(run, f"bench verify {folder.run_id}")
    matches = [r for r in read_published_runs(Path(rows)) if r.run_id.startswith(name)]
    if len(matches) != 1:
        message = f"{len(matches)} runs of {rows} begin with {name!r}"
        raise UserError(message, fix="give a whole run_id")
    return format_steps(matches[0], f"bench verify --rows {rows} {matches[0].run_id}")


def format_steps(run: PublishedRun, verify: str) -> list[str]:
    """Return the lines for one run, with the command that verifies it last."""
    environment, packages = run.environment, run.environment.get("packages", {})
    code, paths = environment.get("code", {}), environment.get("import_roots", [])
    roots = [f"PYTHONPATH={shlex.quote(':'.join(paths))}"] if paths else []
    command = ["python", "-m", "bench.train"]
    for path in environment.get("config_dirs", []):
        command += ["--config-dir", path]
    commit, dirty = environment.get("commit"), environment.get("dirty")
    checkout = "# commit unknown: it was not run from a checkout"
    if commit is not None:
        changes = "  # plus changes that were not committed" if dirty else ""
        checkout = f"git checkout {commit}{changes}"
    versions = " ".join(f"{name}=={version}" for name, version in packages.items() if version)
    return [
        f"# run {run.run_id}: {run.variant} on {run.dataset}, seed {run.seed}, {run.status}",
        checkout,
        f"# Python {environment.get('python')}, {environment.get('system')}, "
        f"{environment.get('processor')}, {environment.get('threads')} thread(s), "
        f"device {environment.get('device')}",
        f"# {versions}",
        "pip install -c constraints.txt -e .",
        *(f"# {file} must have the SHA-256 {digest}..." for file, digest in code.items()),
        " ".join([*roots, shlex.join([*command, *run.overrides])]),
        f"# its generator must have the digest {run.chain.get('generator', 'unknown')}",
        f"# to compare all its digests: {verify}",
    ]
