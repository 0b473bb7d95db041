"""`bench site`: write an index page over reports, with a copy of each below it."""

import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import write_folder
from bench.reporting.output.site import PAGE, TEXT, build_site, find_reports


def write_site(folders: Sequence[Path], to: Path) -> Path:
    """Write the site and return the path of its index page.

    Args:
        folders: reports, or folders of reports.
        to: folder to write; files in it that no site wrote are left alone.

    Raises:
        UserError: there is no report, or the folder lies in one of `folders`.
    """
    for folder in folders:
        if to.resolve().is_relative_to(folder.resolve()):
            message = f"--to {to} lies in {folder}, whose reports it would hold twice"
            raise UserError(message, fix="write the site elsewhere")
    reports = find_reports(folders)
    write_folder(to, build_site({report: date_of(report) for report in reports}))
    return to / PAGE


def date_of(report: Path) -> str:
    """Return the day of a report's last commit; of a report in no repository, of its file."""
    command = ["git", "log", "-1", "--format=%cs", "--", TEXT]
    try:
        done = subprocess.run(command, cwd=report, capture_output=True, text=True)
        committed = done.stdout.strip() if done.returncode == 0 else ""
    except OSError:  # there is no git
        committed = ""
    return committed or str(date.fromtimestamp((report / TEXT).stat().st_mtime))
