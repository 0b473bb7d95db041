"""The folder of one run: runs_root/<run_id>/."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import NUMBER, find_json, write_json, write_text
from bench.runs.identity import SEMANTICS_VERSION, other_version

RAW = "raw"  # checkpoint: the last weights of a run whose generator is a moving average
COMPLETED = ("finished", "diverged")  # both are results: such a run is not run again
STATUS = {
    **{key: str for key in ("status", "cause", "digest?", "differs_from?")},
    **{f"{key}?": int for key in ("d_steps", "g_steps", "images")},
    **{f"{key}?": NUMBER for key in ("wall_seconds", "peak_memory_gib", "peak_device_memory_gib")},
    "opinions?": {str: NUMBER},
}
SPLIT = {"digest": str, "count": int}
ENVIRONMENT = {
    "semantics_version?": int,
    "packages?": {str: str | None},
    "code?": {str: str},
    **{key: [str] for key in ("import_roots?", "config_dirs?")},
}
PROVENANCE = {
    "overrides": [str],
    "data": {"train?": SPLIT, str: SPLIT},  # empty in a run that was restored from a report
    "environment": ENVIRONMENT,
}


@dataclass(frozen=True)
class RunFolder:
    """Paths of the files of a run.

    Args:
        root: runs_root.
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
        return self.path / "generator.safetensors"

    def generator_file(self, checkpoint: str) -> Path:
        """Return the path of a checkpoint's generator: "final", or "raw", "step-N" if stored."""
        name = "generator" if checkpoint == "final" else checkpoint
        return self.generator.with_name(f"{name}.safetensors")

    @property
    def candidates(self) -> Path:
        """Checkpoints that were scored while the run trained, JSON."""
        return self.path / "candidates.json"

    @property
    def provenance(self) -> Path:
        """Origin of the run, JSON: overrides, environment, digests of the data's splits."""
        return self.path / "provenance.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of what training needs in order to resume; gone after that unless it is kept."""
        return self.path / "checkpoints"

    @property
    def digests(self) -> Path:
        """Digests of the weights along the training, and of samples, JSON."""
        return self.path / "digests.json"

    @property
    def untrained(self) -> Path:
        """Frechet distances of the generator before training, by data and request, JSON."""
        return self.path / "untrained.json"

    def read_untrained(self) -> dict[str, float | None]:
        """Return the content of untrained.json, {} without a file; UserError if it is damaged."""
        return find_json(self.untrained, {str: NUMBER | None}) or {}

    @property
    def heartbeat(self) -> Path:
        """File that a process touches while it works on the run, JSON."""
        return self.path / "pulse.json"

    @property
    def samples(self) -> Path:
        """Folder of pictures at fixed latents."""
        return self.path / "samples"

    def read_status(self) -> dict[str, Any] | None:
        """Return the content of status.json, or None where nothing was written yet.

        Raises:
            UserError: the file is damaged.
        """
        return find_json(
            self.path / "status.json", STATUS, "delete the run's folder and train it again"
        )

    def is_completed(self) -> bool:
        """Whether status.json, undamaged, says that the run is finished or diverged."""
        try:
            status = self.read_status()
        except UserError:
            return False
        return status is not None and status["status"] in COMPLETED

    def read_provenance(self) -> dict[str, Any]:
        """Return the content of provenance.json; UserError if damaged.

        Returns:
            "overrides", a list; "data", split -> digest and count; "environment". All are empty
            where there is no file.
        """
        fix = "move it away: it is then unknown what made the run"
        empty: dict[str, Any] = {"overrides": [], "data": {}, "environment": {}}
        return find_json(self.provenance, PROVENANCE, fix) or empty

    def row_files(self, checkpoint: str = "") -> list[Path]:
        """Return the files of the run's rows, of one checkpoint or of all, by name."""
        return sorted(self.path.glob(f"row-{checkpoint}*.json"))

    def write_status(self, status: str, cause: str = "", **facts: Any) -> None:
        """Replace status.json.

        Args:
            status: "running", "finished", "diverged", "failed" or "interrupted".
            cause: one sentence, empty for a finished run.
            facts: counts, seconds, digests.
        """
        write_json(self.path / "status.json", {"status": status, "cause": cause, **facts})

    def write_error(self, traceback: str) -> None:
        """Store the traceback of a failure in error.txt."""
        write_text(self.path / "error.txt", traceback)


def find_run(runs_root: Path, name: str) -> RunFolder:
    """Return the folder of the run that a user names.

    Args:
        name: path of the run's folder, its run_id, or the beginning of one.

    Raises:
        UserError: no run has this name, or more than one, or it is of another version.
    """
    if (Path(name) / "config.yaml").is_file():
        path = Path(name).resolve()
        return _of_this_version(RunFolder(path.parent, path.name))
    run_ids = sorted(p.parent.name for p in runs_root.glob("*/config.yaml"))
    matches = [run_id for run_id in run_ids if run_id.startswith(name)]
    if len(matches) == 1:
        return _of_this_version(RunFolder(runs_root, matches[0]))
    count = len(matches) or f"none of {len(run_ids)}"
    message = f"no single run {name!r} under {runs_root}: {count} run_ids begin with it"
    fix = "give a run_id or a run's folder; `ls` of the runs' folder shows them"
    raise UserError(message, fix=fix)


def _of_this_version(folder: RunFolder) -> RunFolder:
    is_old = (folder.path / "environment.json").exists()
    facts = folder.read_provenance()["environment"]
    version = 1 if is_old else facts.get("semantics_version", SEMANTICS_VERSION)
    if version != SEMANTICS_VERSION:
        raise other_version(f"run {folder.run_id}", version)
    return folder
