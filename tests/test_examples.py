"""Every example of README, docs and --help works, and what it trains is no failure.

A fenced block of commands, or of Python, says by a comment before it what it is:

    <!-- example: run -->              run here, as printed
    <!-- example: plan: WHY -->        it needs what WHY says: composed or parsed, not run
    <!-- example: form -->             a pattern, not a command

RUN, RUN_ID and DIR in a command that is run stand for the first example's run and for folders here.
"""

import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from support import ROOT

from bench import train
from bench.commands import cli
from bench.runs.outcome import faults, real_scores
from bench.runs.rows import read_rows

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"(?:<!-- example: (\w+)(?:: (.*?))? -->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"`[\w./]+`:\n\n$")  # a file's content, which test_extending.py writes


class Example(NamedTuple):
    page: Path
    kind: str
    why: str
    language: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """Words of each command of the suite, without `bench` or `python -m bench.train`."""
        lines = self.text.replace("\\\n", " ").split("\n")
        parts = [part for line in lines for part in line.split(" #")[0].split(" && ")]
        parts = [part.strip().replace("python -m bench.train", "bench train") for part in parts]
        found = [shlex.split(part) for part in parts if part.startswith("bench ")]
        return [words[1:] for words in found]


def read_examples() -> list[Example]:
    """Read all blocks that hold a command of the suite, or Python."""
    examples = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            one = Example(page, match[1] or "", match[2] or "", match[3], match[4])
            is_python = match[3] == "python" and not NAMED.search(text[: match.start()])
            if is_python or (not match[3] and one.commands):
                examples.append(one)
    return examples


EXAMPLES = read_examples()
RUN = sorted({one.page.relative_to(ROOT) for one in EXAMPLES if one.kind == "run"})


def test_every_example_says_what_it_is():
    assert len(EXAMPLES) > 30
    for one in EXAMPLES:
        assert one.kind in ("run", "plan", "form"), f"{one.page.name}: {one.text}"
        assert bool(one.why) == (one.kind == "plan"), f"{one.page.name}: {one.text}"


def test_the_example_of_help_is_run():
    header = re.search(r'header: ".*: bench (train .*)"', (ROOT / "conf/config.yaml").read_text())[
        1
    ]
    assert header.split() in [w for one in EXAMPLES if one.kind == "run" for w in one.commands]


@pytest.mark.slow
def test_examples_that_are_planned_compose(run_command):
    pages = sorted(ROOT.glob("docs/variants/*.md"))
    variants = [
        re.search(r"(?m)^python -m bench.train (variant=.*)$", p.read_text()) for p in pages
    ]
    planned = [["train", found[1]] for found in variants if found]
    planned += [words for one in EXAMPLES if one.kind == "plan" for words in one.commands]
    assert len(planned) > 40
    for name, *words in planned:
        if name != "train":
            cli._parse([name, *words])
            continue
        parsed = OverridesParser.create().parse_overrides([w for w in words if "=" in w])
        single = [one.input_line for one in parsed if not one.is_sweep_override()]
        done = run_command(train.main, *single, "--cfg", "job")
        assert done.returncode == 0, f"{words}\n{done.stderr}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the published results and the files of the pages on parts of one's own."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(ROOT / "results/quick", folder / "results/quick")
    for page in (ROOT / "docs/add_a_loss.md", ROOT / "docs/extending.md"):
        pattern = r"`(mine/[\w./]+)`:\n\n```(?:python|yaml)\n(.*?)```"
        for name, content in re.findall(pattern, page.read_text(), re.S):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=str)
def test_examples_run_and_what_they_train_is_no_failure(page, folder, run_command, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder / "mine"))
    first = run_command(train.main, "trainer.progress=false")  # trained once, then skipped
    run_id = re.search(r"(?m)^run (\w+): ", first.stdout)[1]
    if not Path("pictures").exists():
        run_command(cli.main, "sample", run_id, "-n", "200", "--single", "--to", "pictures")
    for one in (one for one in EXAMPLES if one.page == ROOT / page and one.kind == "run"):
        if one.language == "python":
            exec(compile(one.text, str(page), "exec"), {})
        for name, *words in one.commands:
            shutil.rmtree("exported", ignore_errors=True)
            places = {"RUN": run_id, "RUN_ID": run_id, "DIR": "exported"}
            places |= {"DIR": "pictures"} if "--images" in words else {}
            words = [places.get(word, word) for word in words]
            main, start = (train.main, []) if name == "train" else (cli.main, [name])
            done = run_command(main, *start, *words)
            assert done.returncode == 0, f"{name} {words}\n{done.stdout}{done.stderr}"
            assert "what went wrong" not in done.stdout, done.stdout
    root = Path("runs")
    rows = read_rows(root, [path.parent.name for path in root.glob("*/config.yaml")])
    assert rows and not [found for row in rows if (found := faults(row, real_scores(root, row)))]
