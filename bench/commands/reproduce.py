"""What `bench reproduce` prints: the exact command, commit and environment of a run."""

import shlex
from pathlib import Path

from bench.core.errors import UserError
from bench.runs.folder import find_run
from bench.runs.record import Record, overrides_of, read_records, record_of


def reproduce_steps(runs_root: Path, rows: str | None, name: str) -> list[str]:
    """Lines for a terminal.

    Args:
        runs_root: of stored runs.
        rows: folder of published ones, or None.
        name: run_id, or the beginning of one.

    Raises:
        UserError: no such run, or more than one.
    """
    if rows is None:
        folder = find_run(runs_root, name)
        return lines_of(record_of(folder, overrides_of(folder)), f"bench verify {folder.run_id}")
    matches = [r for r in read_records(Path(rows)) if r.run_id.startswith(name)]
    if len(matches) != 1:
        raise UserError(
            f"{len(matches)} runs of {rows} begin with {name!r}", fix="give a whole run_id"
        )
    return lines_of(matches[0], f"bench verify --rows {rows} {matches[0].run_id}")


def lines_of(record: Record, verify: str) -> list[str]:
    """The recipe of one run."""
    where, packages = record.environment, record.environment.get("packages", {})
    commit, dirty = where.get("commit"), where.get("dirty")
    if commit is None:
        checkout = "# commit unknown: it was not run from a checkout"
    else:
        checkout = f"git checkout {commit}" + (
            "  # plus changes that were not committed" if dirty else ""
        )
    versions = " ".join(f"{name}=={version}" for name, version in packages.items() if version)
    return [
        f"# run {record.run_id}: {record.variant} on {record.dataset}, seed {record.seed}, "
        f"{record.status}",
        checkout,
        f"# Python {where.get('python')}, {where.get('system')}, {where.get('processor')}, "
        f"{where.get('threads')} thread(s), device {where.get('device')}",
        f"# {versions}",
        "pip install -c constraints.txt -e .",
        shlex.join(["python", "-m", "bench.train", *record.overrides]),
        f"# its generator must have the digest {record.chain.get('generator', 'unknown')}",
        f"# the same, compared link by link: {verify}",
    ]
