"""The command `bench`: argv, printing, exit codes. Heavy imports wait until they are needed."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench import __version__
from bench.core.errors import UserError, show_cautions

Command = Callable[[argparse.Namespace], int]


def train(arguments: argparse.Namespace) -> int:
    """Plain Hydra, as `python -m bench.train`."""
    from bench.train import main as door

    sys.argv = ["bench-train", *arguments.overrides]
    door()
    return 0


def report(arguments: argparse.Namespace) -> int:
    """Write a sweep's report and show its table."""
    from bench.reporting.output.terminal_table import render
    from bench.reporting.report import report_of

    to = Path(arguments.to) if arguments.to else None
    render(report_of(arguments.study, Path(arguments.runs_root), to))
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """Show what changed from one report to another."""
    from bench.commands.compare import show_changes

    show_changes(arguments.first, arguments.second)
    return 0


def leaderboard(arguments: argparse.Namespace) -> int:
    """Publish a study's leaderboard as W&B Reports."""
    from bench.reporting.report import stages_of
    from bench.reporting.wandb.boards import publish

    stages = stages_of(arguments.study, Path(arguments.runs_root))
    dry_run = None if arguments.dry_run is None else Path(arguments.dry_run)
    for place in publish(stages, arguments.wandb, dry_run):
        print(place)
    return 0


def claims(arguments: argparse.Namespace) -> int:
    """Run the statements of the seed documents as experiments."""
    from bench.theory.catalogue import select
    from bench.theory.terminal_list import show_claims, show_list

    if arguments.list:
        show_list(select(arguments.ids))
        return 0
    show_claims(
        arguments.ids,
        quick=arguments.quick,
        runs_root=Path(arguments.runs_root),
        to=Path(arguments.to) if arguments.to else None,
        written=Path(arguments.written) if arguments.written else None,
        processes=arguments.processes,
    )
    return 0


def sample(arguments: argparse.Namespace) -> int:
    """Draw samples from a run; needs its folder and nothing else."""
    from bench.commands.sample import write_samples
    from bench.runs.folder import find_run

    run = find_run(Path(arguments.runs_root), arguments.run)
    written = write_samples(run, arguments.n, arguments.seed, Path(arguments.to), arguments.single)
    print(f"{arguments.n} samples of run {run.run_id}: {written}")
    return 0


def score(arguments: argparse.Namespace) -> int:
    """Score stored runs again, or anybody's images."""
    from bench.commands.score import image_cards, run_cards, show

    overrides = [word for word in arguments.what if "=" in word and not Path(word).exists()]
    runs = [word for word in arguments.what if word not in overrides]
    if bool(runs) == (arguments.images is not None):
        raise UserError(
            "bench score wants runs, or --images, and not both",
            fix="`bench score RUN...` or `bench score --images DIR --reference dataset=mnist`",
        )
    for name in ("reference", "statistics_to", "bare"):
        if runs and getattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"{option} goes with --images alone", fix=f"leave {option} out")
    if not runs and arguments.checkpoint != "final":
        raise UserError("--checkpoint goes with runs alone", fix="leave --checkpoint out")
    if runs:
        root = Path(arguments.runs_root)
        return show(run_cards(root, runs, overrides, arguments.checkpoint), arguments.json)
    overrides.append(f"runs_root={arguments.runs_root}")
    cards = image_cards(
        Path(arguments.images),
        arguments.reference,
        overrides,
        statistics_to=arguments.statistics_to,
        floors=not arguments.bare,
    )
    return show(cards, arguments.json)


def status(arguments: argparse.Namespace) -> int:
    """Show how a sweep stands."""
    from bench.commands.status import show_status

    every = arguments.every if arguments.watch else None
    show_status(Path(arguments.runs_root), arguments.sweep, every=every)
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Run stored runs, or published rows, again and compare their digests."""
    from bench.commands.verify import verify_published, verify_runs

    overrides = [word for word in arguments.what if "=" in word and not Path(word).exists()]
    names = [word for word in arguments.what if word not in overrides]
    if (arguments.rows is None and not names) or (arguments.sample and names):
        raise UserError(
            "bench verify wants runs, or --rows FOLDER with or without --sample N",
            fix="`bench verify RUN_ID` or `bench verify --rows results/quick --sample 3`",
        )
    if arguments.rows is None:
        return verify_runs(Path(arguments.runs_root), names, overrides)
    drawn = (arguments.sample, arguments.seed)
    return verify_published(Path(arguments.rows), names, drawn, overrides)


def reproduce(arguments: argparse.Namespace) -> int:
    """Print how to make a run again."""
    from bench.commands.reproduce import reproduce_steps

    for line in reproduce_steps(Path(arguments.runs_root), arguments.rows, arguments.run):
        print(line)
    return 0


def prepare(arguments: argparse.Namespace) -> int:
    """Download, check and convert a data set."""
    from bench.config.build import build_source, compose_config

    cfg = compose_config([f"dataset={arguments.name}", *arguments.overrides])
    source = build_source(cfg)
    source.prepare()
    sizes = ", ".join(f"{len(split.samples):,} {name}" for name, split in source.splits().items())
    print(f"{arguments.name}: ready ({sizes})")
    return 0


def features(arguments: argparse.Namespace) -> int:
    """Train a feature extractor and write its weights and card."""
    from bench.commands.features import train_extractor

    card = train_extractor(arguments.name, arguments.overrides)
    print(f"{arguments.name}: {card['test_accuracy']:.4f} of held-out images classified rightly")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Say what this machine has, and what is missing for which part."""
    from bench.commands.doctor import findings

    for line in findings():
        print(line)
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="bench", description="Created Equal: fair, reproducible comparisons of GANs."
    )
    top.add_argument("--version", action="version", version=f"created-equal {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(call: Command, name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(call=call)
        return command

    add(train, "train", "train and score one run, or many with -m (Hydra; see bench train --help)")

    one = add(report, "report", "write the report of a study: page, tables, figures, rows")
    one.add_argument("study", help="name of a sweep, quick say, or the folder of a report")
    one.add_argument("--to", metavar="DIR", help="default: results/STUDY, or the folder given")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(leaderboard, "leaderboard", "publish a study's leaderboard as a W&B Report")
    one.add_argument("study", help="name of a sweep, quick say, or the folder of a report")
    one.add_argument("--wandb", metavar="ENTITY/PROJECT", required=True, help="where it goes")
    one.add_argument("--dry-run", metavar="DIR", help="write its JSON there; nothing is sent")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(compare, "compare", "show what got better or worse from one report to another")
    one.add_argument("first", help="folder of a report, or COMMIT:FOLDER of a checkout")
    one.add_argument("second", help="the same")

    one = add(claims, "claims", "run the statements of the GAN and WGAN story as experiments")
    one.add_argument("ids", nargs="*", metavar="ID", help="T1 to T25; all where none is named")
    one.add_argument("--list", action="store_true", help="show them and what they cost")
    one.add_argument("--quick", action="store_true", help="small budgets: minutes, not an hour")
    one.add_argument("--to", metavar="DIR", help="default: RUNS_ROOT/reports/claims")
    one.add_argument("--from", dest="written", metavar="DIR", help="a written report, made anew")
    one.add_argument("--processes", type=int, default=2, metavar="N", help="at once (default 2)")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(status, "status", "show how a sweep stands, from any machine that sees its folder")
    one.add_argument("sweep", help="name of the sweep, quick say")
    one.add_argument("--watch", action="store_true", help="again and again until all is done")
    one.add_argument("--every", type=float, default=5.0, metavar="S", help="seconds (default 5)")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(verify, "verify", "run again in a clean folder and compare the chain of digests")
    one.add_argument("what", nargs="*", metavar="RUN | KEY=VALUE", help="runs; dataset.root=DIR")
    one.add_argument("--rows", metavar="FOLDER", help="published rows instead: results/quick, say")
    one.add_argument("--sample", type=_count, metavar="N", help="only N of them, drawn by --seed")
    one.add_argument("--seed", type=int, default=0, help="of that draw (default 0)")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(reproduce, "reproduce", "print command, commit and environment of a run")
    one.add_argument("run", help="run_id, its beginning, or the run's folder")
    one.add_argument("--rows", metavar="FOLDER", help="of published rows instead of stored runs")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(sample, "sample", "draw samples from a finished run; no data set is needed")
    one.add_argument("run", help="run_id, its beginning, or the run's folder")
    one.add_argument("-n", type=_count, default=64, help="how many (default 64)")
    one.add_argument("--seed", type=int, default=0, help="of the latents (default 0)")
    one.add_argument("--to", default="samples.png", metavar="PATH", help="file, or folder")
    one.add_argument("--single", action="store_true", help="one PNG a sample, into a folder")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(score, "score", "score stored runs again, or a folder of images")
    one.add_argument("what", nargs="*", metavar="RUN | KEY=VALUE", help="runs; score=, features=")
    one.add_argument("--checkpoint", default="final", help="final (default), best or step-N")
    one.add_argument("--images", metavar="PATH", help="folder of PNG or JPEG, .npz or .parquet")
    one.add_argument(
        "--reference", metavar="REF", help="dataset=NAME, a path as above, or stats.npz"
    )
    one.add_argument("--statistics-to", metavar="FILE", help="write the images' statistics, .npz")
    one.add_argument("--bare", action="store_true", help="no scores of real images beside them")
    one.add_argument("--json", metavar="FILE", help="write all digits; - prints them instead")
    one.add_argument("--runs-root", default="runs", metavar="DIR")

    one = add(prepare, "prepare", "download, check and convert a data set")
    one.add_argument("name", help="entry of conf/dataset, mnist say")
    one.add_argument("overrides", nargs="*", help="dataset.root=DIR and the like")

    one = add(features, "features", "train a feature extractor")
    one.add_argument("name", help="entry of conf/features, mnist_convnet say")
    one.add_argument("overrides", nargs="*", help="dataset.root=DIR and the like")

    add(doctor, "doctor", "show versions, device, weights, and what is missing")
    return top


def _count(text: str) -> int:
    """A number of samples from the command line; all of them are held at once."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 1,000,000")
    return int(text)


def _parsed(argv: list[str]) -> argparse.Namespace:
    """Words may stand before and behind options: argparse alone takes only the first of them."""
    commands = parser()
    arguments, rest = commands.parse_known_args(argv)
    words = getattr(arguments, "what", getattr(arguments, "overrides", None))
    if rest and (words is None or any(word.startswith("-") for word in rest)):
        commands.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        words += rest
    return arguments


def main() -> None:
    """Console entry: exit status 0, 1, 2 or 130."""
    show_cautions()
    if sys.argv[1:2] == ["train"]:  # all else is Hydra's, also --help and -m
        arguments = argparse.Namespace(call=train, overrides=sys.argv[2:])
    else:
        arguments = _parsed(sys.argv[1:])
    try:
        sys.exit(arguments.call(arguments))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `| head` closed the pipe
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        print(f"error: cannot use {error.filename}: {error.strerror}", file=sys.stderr)
        print("  fix: check that it is there and that you may write to it", file=sys.stderr)
        sys.exit(2)
