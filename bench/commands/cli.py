"""The command `bench`: arguments, printing, exit codes.

The body of `bench NAME` is in `bench/commands/NAME.py`, with exceptions: `train` is in
`bench/train.py`, `show` in `runs.py`, `leaderboard` in `report.py`, and `claims` and `prepare`, of
a few lines each, are here. Heavy imports wait until they are needed, so that help is quick.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import __version__
from bench.core.errors import UserError, show_cautions
from bench.core.signals import leave_quickly
from bench.core.text import never_fail_to_print
from bench.core.verbose import OPTIONS, be_verbose, print_traceback, show_log

Command = Callable[[argparse.Namespace], int | None]  # status of failures; None: 0


def train(arguments: argparse.Namespace) -> None:
    """Train with plain Hydra, as `python -m bench.train` does."""
    from bench.train import main as train_main

    sys.argv = ["bench-train", *arguments.overrides]
    train_main()


def report(arguments: argparse.Namespace) -> None:
    """Write a sweep's report and show its table."""
    from bench.commands.report import report_command

    report_command(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Show what changed from one report to another."""
    from bench.commands.compare import show_changes

    show_changes(arguments.first, arguments.second)


def leaderboard(arguments: argparse.Namespace) -> None:
    """Show a study's leaderboard, write it to a file, or publish it as W&B Reports."""
    from bench.commands.report import leaderboard_command

    leaderboard_command(arguments)


def site(arguments: argparse.Namespace) -> None:
    """Write an index page over several studies."""
    from bench.commands.site import write_site

    print(write_site([Path(folder) for folder in arguments.folders], Path(arguments.to)))


def claims(arguments: argparse.Namespace) -> None:
    """Test 25 statements about GANs by experiments."""
    from bench.plotting.style import pdf_files
    from bench.theory.catalogue import select
    from bench.theory.terminal_list import show_claims, show_list

    if arguments.list:
        show_list(select(arguments.ids))
        return
    with pdf_files(wanted=arguments.pdf):
        show_claims(
            arguments.ids,
            quick=arguments.quick,
            runs_root=Path(arguments.runs_root),
            to=Path(arguments.to) if arguments.to else None,
            written=Path(arguments.written) if arguments.written else None,
            processes=arguments.processes,
        )


def sample(arguments: argparse.Namespace) -> None:
    """Draw samples from a run; only its folder is needed."""
    from bench.commands.sample import write_samples
    from bench.runs.folder import find_run

    run = find_run(Path(arguments.runs_root), arguments.run)
    how = arguments.single, arguments.label
    path = write_samples(run, arguments.n, arguments.seed, Path(arguments.to), *how)
    print(f"{arguments.n} samples of run {run.run_id}: {path}")


def export(arguments: argparse.Namespace) -> None:
    """Write a run's generator as a folder that others can use; only the run's folder is needed."""
    from bench.commands.export import export_run
    from bench.runs.folder import find_run

    run = find_run(Path(arguments.runs_root), arguments.run)
    publish = export_run(run, Path(arguments.to))
    print(f"generator of run {run.run_id}: {arguments.to}")
    print(f"to publish it: {publish}")


def score(arguments: argparse.Namespace) -> int:
    """Score stored runs again, or a folder of images."""
    from bench.commands.score import score_command

    return score_command(arguments, *_split_words(arguments.what))


def runs(arguments: argparse.Namespace) -> None:
    """List the runs under a folder."""
    from bench.commands.runs import show_runs

    show_runs(Path(arguments.runs_root), arguments.what)


def show(arguments: argparse.Namespace) -> None:
    """Show one run."""
    from bench.commands.runs import show_run
    from bench.runs.folder import find_run

    show_run(find_run(Path(arguments.runs_root), arguments.run))


def status(arguments: argparse.Namespace) -> None:
    """Show the status of a sweep."""
    from bench.commands.status import show_status

    seconds = arguments.every if arguments.watch else None
    show_status(Path(arguments.runs_root), arguments.sweep, every=seconds)


def verify(arguments: argparse.Namespace) -> int:
    """Run stored runs, or published ones, again and compare their digests."""
    from bench.commands.verify import verify_command

    return verify_command(arguments, *_split_words(arguments.what))


def reproduce(arguments: argparse.Namespace) -> None:
    """Print the command, commit and environment that make a run again."""
    from bench.commands.reproduce import reproduce_steps

    for line in reproduce_steps(Path(arguments.runs_root), arguments.rows, arguments.run):
        print(line)


def prepare(arguments: argparse.Namespace) -> None:
    """Download, check and convert a data set."""
    from bench.config.build import build_source, compose_config

    cfg = compose_config([f"dataset={arguments.name}", *arguments.overrides])
    source = build_source(cfg)
    source.prepare()
    sizes = ", ".join(f"{len(split.samples):,} {name}" for name, split in source.splits().items())
    print(f"{arguments.name}: ready ({sizes})")


def features(arguments: argparse.Namespace) -> None:
    """Train a feature extractor and write its weights and card."""
    from bench.commands.features import train_extractor

    card = train_extractor(arguments.name, arguments.overrides)
    print(f"{arguments.name}: {card['test_accuracy']:.4f} of held-out images classified rightly")


def doctor(arguments: argparse.Namespace) -> None:
    """Print what this machine has, and what is missing for which part."""
    from bench.commands.doctor import describe_machine

    for line in describe_machine():
        print(line)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands and their options."""
    parser = argparse.ArgumentParser(
        prog="bench", description="Created Equal: fair, reproducible comparisons of GANs."
    )
    parser.add_argument("--version", action="version", version=f"created-equal {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    parsers: dict[Command, argparse.ArgumentParser] = {}

    def add(call: Command, text: str) -> argparse.ArgumentParser:
        shared = [] if call is train else [_shared_options()]  # Hydra has its own
        name = call.__name__
        parsers[call] = commands.add_parser(name, help=text, description=text, parents=shared)
        parsers[call].set_defaults(call=call)
        return parsers[call]

    add(train, "train and score one run, or many with -m (Hydra; see bench train --help)")

    cmd = add(report, "write the report of a study, or of any runs: page, tables, figures, rows")
    what = "a sweep, for example quick, or a report's folder; or any of sweeps, runs, KEY=VALUE"
    cmd.add_argument("what", nargs="+", metavar="STUDY | RUN | KEY=VALUE", help=what)
    to = "default: results/STUDY, the report's folder, or RUNS_ROOT/reports/WORDS"
    cmd.add_argument("--to", metavar="DIR", help=to)

    cmd = add(leaderboard, "show a leaderboard, write it to a file, or publish it at W&B")
    cmd.add_argument("what", nargs="+", metavar="STUDY | RUN | KEY=VALUE", help=what)
    cmd.add_argument("--to", metavar="FILE", help="write it: FILE.csv, FILE.md or FILE.tex")
    cmd.add_argument("--wandb", metavar="ENTITY/PROJECT", help="publish it as a W&B Report")
    dry_run = "write that report to DIR, as a page and as JSON, and send nothing"
    cmd.add_argument("--dry-run", metavar="DIR", help=dry_run)

    for board in (report, leaderboard):
        beside = "a published study to stand in the same tables; may be given several times"
        parsers[board].add_argument(
            "--with", dest="beside", action="append", default=[], metavar="STUDY", help=beside
        )
        by = "the score that ranks, for example kernel"
        parsers[board].add_argument("--score", metavar="KEY", help=by)
        columns = "further scores to show (default: all); behind the words above"
        parsers[board].add_argument("--columns", nargs="+", metavar="KEY", help=columns)

    cmd = add(compare, "show what got better or worse from one report to another")
    cmd.add_argument("first", help="folder of a report, or COMMIT:FOLDER of a checkout")
    cmd.add_argument("second", help="folder of another report, or COMMIT:FOLDER")

    cmd = add(site, "write an index page over several studies, with their pages")
    of_folders = "reports, or folders of reports: for example results"
    cmd.add_argument("folders", nargs="+", metavar="FOLDER", help=of_folders)
    cmd.add_argument("--to", required=True, metavar="DIR", help="folder of the site")

    cmd = add(claims, "test 25 statements about GANs by experiments, with figures")
    cmd.add_argument("ids", nargs="*", metavar="ID", help="T1 to T25 (default: all)")
    cmd.add_argument("--list", action="store_true", help="list the statements and what they cost")
    cmd.add_argument("--quick", action="store_true", help="small budgets: minutes, not an hour")
    cmd.add_argument("--to", metavar="DIR", help="default: RUNS_ROOT/reports/claims")
    cmd.add_argument("--from", dest="written", metavar="DIR", help="remake the report in DIR")
    cmd.add_argument("--processes", type=int, default=2, metavar="N", help="workers (default 2)")

    for written in (report, claims):
        as_pdf = "write each figure as PDF too, for a paper"
        parsers[written].add_argument("--pdf", action="store_true", help=as_pdf)

    cmd = add(runs, "list runs, of sweeps and single ones, the newest first")
    cmd.add_argument(
        "what",
        nargs="*",
        metavar="KEY=VALUE",
        help="variant=, dataset=, seed=, status=, network=, loss=, penalty=, model=",
    )

    cmd = add(show, "show one run: settings, losses, scores, where its samples are")
    cmd.add_argument("run", help="run_id, its beginning, or the run's folder")

    cmd = add(status, "show the status of a sweep, on any machine that sees its folder")
    cmd.add_argument("sweep", help="name of the sweep, for example quick")
    cmd.add_argument("--watch", action="store_true", help="repeat until all runs are done")
    seconds = "seconds between (default 5)"
    cmd.add_argument("--every", type=float, default=5.0, metavar="S", help=seconds)

    cmd = add(verify, "run again in a clean folder and compare all digests")
    cmd.add_argument("what", nargs="*", metavar="RUN | KEY=VALUE", help="runs; dataset.root=DIR")
    rows = "published rows instead: for example results/quick"
    cmd.add_argument("--rows", metavar="FOLDER", help=rows)
    cmd.add_argument("--sample", type=_count, metavar="N", help="only N of them, drawn by --seed")
    cmd.add_argument("--seed", type=int, default=0, help="seed of that draw (default 0)")

    cmd = add(reproduce, "print command, commit and environment of a run")
    cmd.add_argument("run", help="run_id, its beginning, or the run's folder")
    cmd.add_argument("--rows", metavar="FOLDER", help="published rows instead of stored runs")

    cmd = add(sample, "draw samples from a finished run; no data set is needed")
    cmd.add_argument("run", help="run_id, its beginning, or the run's folder")
    cmd.add_argument("-n", type=_count, default=64, help="number of samples (default 64)")
    cmd.add_argument("--seed", type=int, default=0, help="seed of the latents (default 0)")
    cmd.add_argument("--to", default="samples.png", metavar="PATH", help="file, or folder")
    cmd.add_argument("--single", action="store_true", help="one PNG a sample, into a folder")
    of_class = "samples of this class alone, of a conditional run"
    cmd.add_argument("--class", type=int, dest="label", metavar="K", help=of_class)

    cmd = add(export, "write a generator to publish: weights, program, card, loader")
    cmd.add_argument("run", help="run_id, its beginning, or the run's folder")
    cmd.add_argument("--to", required=True, metavar="DIR", help="a new or an empty folder")

    cmd = add(score, "score stored runs again, a folder of images, or a function")
    cmd.add_argument("what", nargs="*", metavar="RUN | KEY=VALUE", help="runs; score=, features=")
    cmd.add_argument("--checkpoint", default="final", help="final (default), best or step-N")
    cmd.add_argument("--images", metavar="PATH", help="folder of images, .npz or .parquet")
    function = "a function (count, seed) -> samples of yours, trained anywhere"
    cmd.add_argument("--generator", metavar="MODULE:FUNCTION", help=function)
    reference = "dataset=NAME, a path as above, or stats.npz"
    cmd.add_argument("--reference", metavar="REF", help=reference)
    cmd.add_argument("--statistics-to", metavar="FILE", help="write the images' statistics, .npz")
    cmd.add_argument("--convert", metavar="grey|rgb", help="convert the images' colours to this")
    cmd.add_argument("--bare", action="store_true", help="no scores of real images beside them")
    cmd.add_argument("--json", metavar="FILE", help="write all digits; - prints them instead")

    cmd = add(prepare, "download, check and convert a data set")
    cmd.add_argument("name", help="name of a file in conf/dataset, for example mnist")
    cmd.add_argument("overrides", nargs="*", help="dataset.root=DIR and the like")

    cmd = add(features, "train a feature extractor")
    cmd.add_argument("name", help="name of a file in conf/features, for example mnist_convnet")
    cmd.add_argument("overrides", nargs="*", help="dataset.root=DIR and the like")

    add(doctor, "show versions, device, weights, and what is missing")

    with_runs: list[Command] = [report, leaderboard, claims, runs, show, status, verify, reproduce]
    for call in (*with_runs, sample, score, export):
        parsers[call].add_argument("--runs-root", default="runs", metavar="DIR")
    return parser


def _shared_options() -> argparse.ArgumentParser:
    """Build the parser of the options that every command has."""
    parser = argparse.ArgumentParser(add_help=False)
    of_dir = "your own configs: compose with them, and trust the code that they name"
    parser.add_argument("--config-dir", action="append", metavar="DIR", help=of_dir)
    of_package = "trust the code of a package that a run names"
    parser.add_argument("--trust", action="append", metavar="PACKAGE", help=of_package)
    verbose = "show tracebacks and a log of what is done"
    parser.add_argument(*OPTIONS, action="store_true", help=verbose)
    return parser


def _count(text: str) -> int:
    """Read a number of samples, which is limited because all of them are in memory at once."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1,000,000")
    return int(text)


def _parse(argv: list[str]) -> argparse.Namespace:
    """Parse a command line whose words may stand before and behind options.

    argparse alone takes only the first group of words.
    """
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    words: list[str] | None = getattr(arguments, "what", getattr(arguments, "overrides", None))
    if rest and (words is None or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if words is not None:
        words += rest
    return arguments


def _split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names of runs, and overrides: words with an equals sign or a ~ that are no path."""
    overrides = [w for w in words if ("=" in w or w[:1] == "~") and not Path(w).exists()]
    return [word for word in words if word not in overrides], overrides


def main() -> None:
    """Run the command line and exit with status 0, 1, 2 or 130."""
    never_fail_to_print()
    leave_quickly()
    show_cautions()
    if sys.argv[1:2] == ["train"]:  # Hydra reads the rest itself, --help and -m included
        arguments = argparse.Namespace(call=train, overrides=sys.argv[2:])
    else:
        arguments = _parse(sys.argv[1:])
    if getattr(arguments, "verbose", False):
        be_verbose()
    show_log()
    try:
        if getattr(arguments, "config_dir", None) or getattr(arguments, "trust", None):
            from bench.config import trust

            for folder in arguments.config_dir or ():
                trust.trust_config_dir(folder)
            for package in arguments.trust or ():
                trust.trust_package(package)
        sys.exit(arguments.call(arguments))
    except UserError as error:
        print_traceback(error)
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `| head` closed the pipe
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        print_traceback(error)
        print(f"error: cannot use {error.filename}: {error.strerror}", file=sys.stderr)
        print("  fix: check that it is there and that you may write to it", file=sys.stderr)
        sys.exit(2)
