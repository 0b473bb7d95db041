"""The folder of one run: runs_root/<run_id>/."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json, write_json, write_text

SETTLED = ("finished", "diverged")  # results; a run with one of these is not run again


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run lie.

    Args:
        root: runs_root.
        run_id: the folder's name.
    """

    root: Path
    run_id: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / self.run_id

    @property
    def config(self) -> Path:
        """The resolved config, YAML."""
        return self.path / "config.yaml"

    @property
    def history(self) -> Path:
        """Losses over steps, CSV."""
        return self.path / "history.csv"

    @property
    def generator(self) -> Path:
        """The last generator, safetensors."""
        return self.checkpoints / "generator.safetensors"

    def weights(self, checkpoint: str) -> Path:
        """The generator of a checkpoint: "final", or "step-N" where it was kept."""
        name = "generator" if checkpoint == "final" else checkpoint
        return self.generator.with_name(f"{name}.safetensors")

    @property
    def candidates(self) -> Path:
        """Checkpoints scored while the run trained, JSON."""
        return self.path / "candidates.json"

    @property
    def data(self) -> Path:
        """Digest and number of samples of each split of the data, JSON."""
        return self.path / "data.json"

    @property
    def checkpoints(self) -> Path:
        """Everything that training needs to go on, and generators."""
        return self.path / "checkpoints"

    @property
    def chain(self) -> Path:
        """Digests along the way, JSON."""
        return self.path / "digests.json"

    @property
    def heartbeat(self) -> Path:
        """Touched while somebody is at work on the run, JSON."""
        return self.path / "pulse.json"

    @property
    def samples(self) -> Path:
        """Pictures at fixed latents."""
        return self.path / "samples"

    def status(self) -> dict[str, Any] | None:
        """What is known of the run, or None where nothing was written yet."""
        return read_status(self.path)

    def write_status(self, status: str, cause: str = "", **facts: Any) -> None:
        """Replace the status.

        Args:
            status: "running", "finished", "diverged", "failed" or "interrupted".
            cause: one sentence, empty for a finished run.
            facts: counts, seconds, digests.
        """
        write_json(self.path / "status.json", {"status": status, "cause": cause, **facts})

    def write_error(self, traceback: str) -> None:
        """Keep the traceback of a failure."""
        write_text(self.path / "error.txt", traceback)


def read_status(path: Path) -> dict[str, Any] | None:
    """status.json of a run's folder, or None.

    Raises:
        UserError: the file is damaged.
    """
    file = path / "status.json"
    if not file.is_file():
        return None
    status = read_json(file)
    if not (isinstance(status, dict) and {"status", "cause"} <= status.keys()):
        raise UserError(f"{file} is damaged: no status in it", fix="delete the run's folder")
    return status


def find_run(runs_root: Path, name: str) -> RunFolder:
    """The run that a person means: a folder, a run_id, or the beginning of one.

    Raises:
        UserError: none, or more than one.
    """
    if (Path(name) / "config.yaml").is_file():
        path = Path(name).resolve()
        return RunFolder(path.parent, path.name)
    known = sorted(p.parent.name for p in runs_root.glob("*/config.yaml"))
    matches = [run_id for run_id in known if run_id.startswith(name)]
    if len(matches) == 1:
        return RunFolder(runs_root, matches[0])
    found = f"{len(matches)} runs begin so" if matches else f"{len(known)} runs, none begins so"
    raise UserError(
        f"no single run {name!r} under {runs_root} ({found})",
        fix="give a run_id or a run's folder; `ls` of the runs' folder shows them",
    )
