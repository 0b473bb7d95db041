"""`bench export`: write a run's generator as a folder that others can use and publish."""

import inspect
import io
import logging
import os
import runpy
import shlex
import shutil
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from bench import __version__
from bench.commands.reproduce import format_steps
from bench.commands.sample import BATCH, build_finished_sampler
from bench.config import build
from bench.config.loss_label import NO_PENALTY, loss_label
from bench.core.batch import Latent
from bench.core.errors import Caution, UserError
from bench.core.files import DiskError, writer_id
from bench.core.number_checks import is_whole_number
from bench.core.seeds import generator as stream
from bench.core.text import printable
from bench.networks.sampler import Sampler, generate
from bench.reporting.data.licences import licences_of
from bench.reporting.text.markdown import escape_markdown
from bench.reporting.text.words import better_side, format_value, metric_title
from bench.runs.folder import RunFolder
from bench.runs.outcome import faults, real_scores
from bench.runs.record import describe_run, read_overrides
from bench.runs.rows import Row, merge_rows, read_row, sort_for_display

PROGRAM, PICTURE = "generator.pt2", "samples.png"
LOADER = '''"""Draw samples: `python load.py` shows their shape. It needs torch alone."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor

generator = torch.export.load(Path(__file__).with_name("{program}")).module()


{prior}

def sample({arguments}):
    """Return samples, float32 [COUNT, ...], images in [0, 1]; {draws_the_same}"""
    digest = hashlib.sha256(f"{{seed}}/score/0".encode()).digest()
    draws = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    latents = {name}(count, {latent_dim}, draws)
{labels}    with torch.no_grad():
        return torch.cat([{calls}])


if __name__ == "__main__":
    print(tuple(sample().shape))
'''
PARTS = {  # of the loader, for a generator without labels and for one with
    False: {
        "arguments": "count=64, seed=0",
        "draws_the_same": "`bench sample` draws the same.",
        "labels": "",
        "calls": "generator(part) for part in latents.split({batch})",
    },
    True: {
        "arguments": "count=64, seed=0, label=None",
        "draws_the_same": "`bench sample --single` draws the same.\n\n"
        "    label: class of all samples; None draws classes by the shares of the training split.\n"
        "    ",
        "labels": """    if label is None:
        shares = torch.tensor({class_counts}, dtype=torch.float64)
        labels = torch.multinomial(shares, count, replacement=True, generator=draws)
    elif label in {classes}:
        labels = torch.full((count,), label)
    else:
        raise ValueError(f"label is {{label}}, not one of {classes}")
""",
        "calls": "generator(*part) for part in zip(latents.split({batch}), labels.split({batch}))",
    },
}


class Program(nn.Module):
    """Latents [B, L], and labels [B] where the generator asks for them -> samples [B, ...].

    Images are in the suite's range, whatever the generator's own.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return samples [B, ...]."""
        return generate(
            self.generator, Latent(latent, {} if labels is None else {"labels": labels})
        )


def export_run(folder: RunFolder, to: Path) -> str:
    """Write weights, config, card, and a program that needs torch alone, into a new folder.

    Args:
        to: folder to write; where it exists, it must be empty.

    Returns:
        The command that publishes it on the Hugging Face hub.

    Raises:
        UserError: the run has not finished or is damaged; the folder cannot be written, or holds
            files. Nothing is written then.
    """
    if to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise UserError(f"{to} exists and is no empty folder", fix="choose another --to")
    sampler = build_finished_sampler(folder)
    rows = merge_rows(read_row(path) for path in folder.row_files("final-"))
    config = without_paths(OmegaConf.to_container(build.read_config(folder.config)))
    with _new_folder(to) as part:
        shutil.copyfile(folder.generator, part / "generator.safetensors")
        (part / "config.yaml").write_text(OmegaConf.to_yaml(config), encoding="utf-8")
        if (picture := folder.samples / "final.png").is_file():
            shutil.copyfile(picture, part / PICTURE)
        reason = _write_program(sampler, part)
        if reason:
            said = f"run {folder.run_id}: {reason}, so that {PROGRAM} and load.py are left out"
            warnings.warn(said, Caution, stacklevel=2)
        card = "\n".join(_card(folder, config, rows, part, sampler.classes))
        (part / "README.md").write_text(card + "\n", encoding="utf-8")
    names = config["names"]
    name = f"YOUR_NAME/{names['variant']}-{names['dataset']}"
    return printable(shlex.join(["hf", "upload", name, str(to)]))


def without_paths(node: Any) -> Any:
    """Return a config whose absolute paths, which tell of one machine, are their last names."""
    if isinstance(node, dict):
        return {key: without_paths(value) for key, value in node.items()}
    if isinstance(node, list):
        return [without_paths(value) for value in node]
    return Path(node).name if isinstance(node, str) and Path(node).is_absolute() else node


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the name `path` when the block succeeds."""
    part = path.with_name(f".{path.name}.{writer_id()}-{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or error
        fix = "free some space, or choose a folder that you may write to"
        raise DiskError(f"cannot write {path}: {reason}", fix=fix) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _silence() -> Iterator[None]:
    """Print nothing of what torch.export says on itself: warnings, and graphs of a failure."""
    level = logging.root.manager.disable
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)


def _write_program(sampler: Sampler, to: Path) -> str:
    """Write the generator as a program of torch.export, and load.py, which draws from it.

    Returns:
        Why neither was written, or an empty text.
    """
    generator, latent_dim = sampler.generator.cpu(), sampler.latent_dim
    name = getattr(sampler.prior, "__name__", "")
    if not inspect.isfunction(sampler.prior) or not name.isidentifier():
        return "its prior is no function with a name"
    if not is_whole_number(latent_dim, 1):
        return f"its latent_dim is {latent_dim!r}"
    program, loader = to / PROGRAM, to / "load.py"
    with torch.no_grad(), _silence():
        try:
            labels = [torch.zeros(2, dtype=torch.int64)] if sampler.classes else []
            inputs = (torch.zeros(2, latent_dim), *labels)
            axes = ({0: torch.export.Dim("count")},) * len(inputs)
            exported = torch.export.export(Program(generator), inputs, dynamic_shapes=axes)
            torch.export.save(exported, program)
            loader.write_text(_format_loader(sampler, name), encoding="utf-8")
            sample = runpy.run_path(str(loader))["sample"]
            cases: list[tuple[int, int | None]] = [(3, None), (1, None)]
            for count, k in (*cases, *((2, k) for k in sampler.classes[-1:])):
                asked = None if k is None else torch.full((count,), k)
                expected = sampler.samples(count, stream(0, "score"), BATCH, asked)
                drawn = sample(count, **({} if k is None else {"label": k}))
                torch.testing.assert_close(drawn, expected, rtol=1e-6, atol=1e-6)
        except OSError:  # the disk's
            raise
        except Exception as error:  # torch's, of many types, or of a prior that needs more
            program.unlink(missing_ok=True)
            loader.unlink(missing_ok=True)
            kind = f"{type(generator).__module__}.{type(generator).__qualname__}"
            what = f"torch.export cannot write {kind} with prior {name}"
            return f"{what} ({type(error).__name__})"
    return ""


def _format_loader(sampler: Sampler, prior: str) -> str:
    """Format load.py, which draws what the sampler draws.

    Args:
        prior: name of the sampler's prior, a function.
    """
    numbers = {"batch": BATCH, "classes": sampler.classes, "class_counts": sampler.class_counts}
    parts = PARTS[sampler.class_counts is not None].items()
    facts = {"name": prior, "latent_dim": sampler.latent_dim, "program": PROGRAM}
    source = inspect.getsource(sampler.prior)
    return LOADER.format(**facts, prior=source, **{k: p.format(**numbers) for k, p in parts})


def _card(
    folder: RunFolder,
    config: Mapping[str, Any],
    rows: Sequence[Row],
    files: Path,
    classes: Sequence[int],
) -> list[str]:
    """Return the lines of the model card, in Markdown with the hub's YAML at its head.

    Args:
        classes: those of a class-conditional generator; none of another.
    """
    chosen = {key: str(name) for key, name in config["names"].items()}
    chosen["loss"] = loss_label(chosen["loss"], chosen.get("penalty", NO_PENALTY))
    names = {key: escape_markdown(printable(name)) for key, name in chosen.items()}
    is_image = config["dataset"]["family"] == "image"
    tags = ["gan", "created-equal"]
    head = ["---", "library_name: pytorch", f"tags: [{', '.join(tags)}]"]
    head += ["pipeline_tag: unconditional-image-generation"] if is_image and not classes else []
    settings = {key: config[key] for key in ("seed", "d_steps", "batch_size")}
    numbers = {**settings, **config["hyperparameters"]}
    steps = format_steps(describe_run(folder, read_overrides(folder)), ["bench", "verify"])[:-1]
    has_loader = (files / "load.py").exists()
    kind = "class-conditional generator" if classes else "generator"
    of_class = [f"samples = sample(64, seed=0, label={k})  # of one class" for k in classes[:1]]
    needs = "torch alone" if has_loader else "this suite"
    return [
        *head,
        "---",
        "",
        f"# {names['variant']} on {names['dataset']}",
        "",
        f"A {kind} of samples like those of the data set {names['dataset']}: {names['variant']} "
        f"(loss {names['loss']}, model {names['model']}, network {names['network']}), trained by "
        f"Created Equal {__version__}, run {folder.run_id}.",
        *(["", f"![Samples]({PICTURE})"] if (files / PICTURE).exists() else []),
        "",
        "## Use",
        "",
        f"It needs {needs}.",
        "",
        "```python",
        *(
            ["from load import sample", "", "samples = sample(64, seed=0)", *of_class]
            if has_loader
            else ["# weights: generator.safetensors; network: model.generator of config.yaml"]
        ),
        "```",
        "",
        "## Scores",
        "",
        *(line for row in rows for line in _scores(folder, row)),
        "## Data",
        "",
        _licence(config),
        "",
        "## How it was made",
        "",
        f"{', '.join(f'{escape_markdown(str(k))} {format_value(v)}' for k, v in numbers.items())}.",
        "",
        "```",
        *(line.replace("```", "'''") for line in steps),
        "```",
    ]


def _scores(folder: RunFolder, row: Row) -> list[str]:
    """Return a table of a row's scores beside those of real data, and the protocol of both."""
    real = real_scores(folder.root, row)
    lines = ["| score | this generator | real data | better |", "|---|---|---|---|"]
    for name, value in sort_for_display(row.scores).items():
        other = f"{real[name]:.4g}" if name in real else "-"
        title = escape_markdown(metric_title(name))
        lines.append(
            f"| {title} | {value:.4g} | {other} | {better_side(name, row.directions[name])} |"
        )
    protocol = (
        f"{key.replace('_', ' ')}: {escape_markdown(printable(format_value(value)))}"
        for key, value in row.protocol.items()
    )
    wrong = [f"- What went wrong: {clause}." for clause in faults(row, real)]
    return [*lines, "", *wrong, *[""] * bool(wrong), f"Protocol: {'; '.join(protocol)}.", ""]


def _licence(config: Mapping[str, Any]) -> str:
    """Say in one sentence under which licence the data are, and where they come from."""
    name, source = str(config["names"]["dataset"]), config["dataset"]["source"]
    text = licences_of([name])[name]
    if "licence" in source:
        text = f"{source['licence']} ({source.get('origin', 'origin unknown')})"
    return escape_markdown(printable(f"{name}: {text}."))
