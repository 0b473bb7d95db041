"""`bench report` and `bench leaderboard`: what they are asked for, from words to files."""

import argparse
import glob
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.commands.runs import select_runs
from bench.core.errors import UserError
from bench.core.text import file_name, is_file_name
from bench.reporting.archive.read import load
from bench.reporting.data.records import StageRecord
from bench.reporting.output.leaderboard_file import write_leaderboard
from bench.reporting.output.terminal_table import print_report, print_tables
from bench.reporting.report import (
    collect_stages,
    is_study,
    load_stages,
    published_folder,
    write_report,
)
from bench.reporting.tables.comparisons import build_comparisons
from bench.reporting.tables.score_choice import ScoreChoice
from bench.reporting.tables.study_merge import NamedStudy, merge_studies


def report_command(arguments: argparse.Namespace) -> None:
    """Write the report of a study, of any runs, or of these beside published ones; show its table.

    Raises:
        UserError: words name nothing; studies do not fit together; the folder cannot be written.
    """
    root, choice = Path(arguments.runs_root), read_choice(arguments)
    stages = load_words(arguments.what, root, arguments.beside)
    name = " ".join(arguments.what)
    to = root / "reports" / file_name(" ".join([name, *_changes(arguments)]))
    if not _changes(arguments) and _names_study(arguments.what, root):
        to = published_folder(arguments.what[0])
    folder = Path(arguments.to) if arguments.to else to
    print_report(write_report(stages, folder, choice, pdf=arguments.pdf))


def leaderboard_command(arguments: argparse.Namespace) -> None:
    """Show the tables of a study or of any runs, write them to a file, or publish them at W&B.

    Raises:
        UserError: words name nothing; a score is unknown; the file cannot be written.
    """
    choice = read_choice(arguments)
    stages = load_words(arguments.what, Path(arguments.runs_root), arguments.beside)
    if arguments.dry_run and not arguments.wandb:
        raise UserError("--dry-run is of --wandb", fix="name the project: --wandb ENTITY/PROJECT")
    if arguments.wandb:
        from bench.reporting.wandb.publish import publish_leaderboards

        dry_run = Path(arguments.dry_run) if arguments.dry_run else None
        for place in publish_leaderboards(stages, arguments.wandb, dry_run, choice):
            print(place)
    comparisons = build_comparisons(stages, choice)
    if arguments.to:
        write_leaderboard(comparisons, Path(arguments.to))
        print(arguments.to)
    if not (arguments.to or arguments.wandb):
        print_tables(comparisons, Console())


def read_choice(arguments: argparse.Namespace) -> ScoreChoice:
    """Return the scores that the options name."""
    return ScoreChoice(arguments.score, tuple(arguments.columns or ()))


def load_words(words: Sequence[str], root: Path, beside: Sequence[str]) -> Sequence[StageRecord]:
    """Load what the words name, with the runs of published studies beside it.

    Args:
        words: a study; or any of sweeps, run_ids and KEY=VALUE filters.
        beside: folders of reports, or names of studies under results/.
    """
    if _names_study(words, root):
        stages = load_stages(words[0], root)
    else:
        stages = collect_stages(root, select_runs(root, words))
    if not beside:
        return stages
    folders = [published_folder(name) for name in beside]
    counts = Counter(folder.name for folder in folders)
    others = [
        NamedStudy(folder.name if counts[folder.name] == 1 else str(folder), load(folder).stages)
        for folder in folders
    ]
    command = shlex.join(["bench", "report", *words, *(w for b in beside for w in ("--with", b))])
    return merge_studies(NamedStudy(" ".join(words), stages), others, command)


def _names_study(words: Sequence[str], root: Path) -> bool:
    """Return whether the words are one study, or one word that names nothing at all."""
    first, *others = words
    if others or "=" in first:
        return False
    begins_run = is_file_name(first) and any(root.glob(f"{glob.escape(first)}*/config.yaml"))
    return is_study(first, root) or not begins_run


def _changes(arguments: argparse.Namespace) -> list[str]:
    """Return words for what makes this another report than the study's own."""
    words = [word for name in arguments.beside or () for word in ("with", Path(name).name)]
    words += ["by", arguments.score] if arguments.score else []
    return words + (["of", *arguments.columns] if arguments.columns else [])
