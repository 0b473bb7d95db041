"""Record what each attempt at a run has logged to W&B, in a file of ours beside W&B's folders.

The format of W&B's own files is private; none of them is read. A killed attempt can end in half a
record, at which `wandb sync` stops. If it was offline, the next attempt deletes it and logs its
steps again: the files of the run hold them all.
"""

import shutil
import time
from pathlib import Path
from typing import Any

from bench.core.files import find_json, write_json

SETTLED = 0.2  # seconds without growth, after which a file is complete; 0.007 was the longest pause
LOOKS = 25  # at the size of a file


class Attempts:
    """Read and write the record of a run: name of an attempt's folder -> `last_step` and `ended`.

    Args:
        folder: W&B's folder, which holds one for each attempt, possibly at several runs.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder, self.run_id = folder, run_id
        self.path = folder / f"attempts-{run_id}.json"

    def read(self) -> dict[str, Any]:
        """Return the record; empty before the first attempt."""
        return find_json(self.path, {str: {"last_step": int, "ended": bool}}, "delete it") or {}

    def write(self, name: str, last_step: int, *, ended: bool) -> None:
        """Write how far an attempt is.

        Args:
            last_step: the last step that was logged, by this attempt or before it.
            ended: whether W&B has written its files to their end.
        """
        write_json(self.path, self.read() | {name: {"last_step": last_step, "ended": ended}})

    def last_step(self) -> int:
        """Return the last step that was logged; 0 without any.

        An attempt that ended counts without its folder, too: `wandb clean` deletes what was synced.
        """
        attempts = self.read().items()
        counted = [a for name, a in attempts if a["ended"] or (self.folder / name).is_dir()]
        return max((attempt["last_step"] for attempt in counted), default=0)

    def delete_killed(self) -> None:
        """Delete offline attempts that did not end. Call it only if no other process is working.

        What was synced stays: the server has its steps. A folder without a record was killed before
        it logged a step, or an older version made it. No record counts its steps, so that they are
        logged again, and deleting it loses nothing either.
        """
        record = self.read()
        for folder, mark in self._offline():
            if not (mark.exists() or record.get(folder.name, {}).get("ended")):
                shutil.rmtree(folder)

    def mark_synced(self) -> None:
        """Let `wandb sync` skip offline attempts whose steps a later, online attempt has sent."""
        for _, mark in self._offline():
            mark.touch()

    def _offline(self) -> list[tuple[Path, Path]]:
        """Return the folders of offline attempts, each with the file that says it was synced."""
        folders = self.folder.glob(f"offline-run-????????_??????-{self.run_id}")
        return [(folder, folder / f"run-{self.run_id}.wandb.synced") for folder in folders]


def wait_for_end(file: Path) -> None:
    """Wait until W&B's file grows no more: `finish` returns while another process still writes."""
    size = -1
    for _ in range(LOOKS):
        if not file.is_file() or file.stat().st_size == size:
            return
        size = file.stat().st_size
        time.sleep(SETTLED)
