"""Generate docs/variants/, a page per variant and an index, from yaml, comments and docstrings.

`make docs` writes the pages; `--check` compares them with what would be written.
"""

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONF, PAGES = ROOT / "conf", ROOT / "docs" / "variants"

PARTS = ("penalty", "normalisation", "conditioning", "consistency", "augmentation")
FURTHER = {
    "normalisation": "Of the discriminator, for any loss and network: `normalisation=spectral`.",
    "conditioning": "For any loss of `model=gan`, on data with labels: `conditioning=projection`.",
    "consistency": "Of the discriminator, beside any penalty, for images: `consistency=cr`.",
    "augmentation": "Of what the discriminator sees, for images: `augmentation=diffaugment`.",
    "prior": "Of the latents: `prior=normal`.",
}
SEEN = json.loads((PAGES / "seen.json").read_text()) if (PAGES / "seen.json").is_file() else {}


def read_head_comment(path: Path) -> tuple[list[str], list[str]]:
    """Return the description lines and the deviations in the comment at the head of a yaml."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        if "@package" not in line:
            lines.append(line.removeprefix("#").removeprefix(" "))
    text = "\n".join(lines)
    head, *deviations = re.split(r"(?m)^Deviation: ", text)
    return head.strip().split("\n"), [" ".join(d.split()) for d in deviations]


def read_entry(path: Path) -> dict[str, Any]:
    """Read an entry of a config group, merged with the entries beside it that its defaults name."""
    content = yaml.safe_load(path.read_text())
    names = [d for d in content.pop("defaults", ()) if isinstance(d, str) and d != "_self_"]
    merged: dict[str, Any] = {}
    for part in (*(read_entry(path.with_name(f"{name}.yaml")) for name in names), content):
        merged = merge(merged, part)
    return merged


def merge(one: Any, other: Any) -> Any:
    """Return two nodes as one, with the values of the second where both have one."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {**one, **{k: merge(one[k], v) if k in one else v for k, v in other.items()}}


def find_targets(node: Any) -> list[str]:
    """List each `_target_` of `bench` below a node once, in order of appearance."""
    targets: list[str] = []
    if isinstance(node, dict):
        if str(node.get("_target_", "")).startswith("bench."):
            targets.append(node["_target_"])
        for item in node.values():
            targets += find_targets(item)
    return list(dict.fromkeys(targets))


def describe_target(target: str) -> str:
    """Return a list item: a target's equation, the source its module cites, its deviations."""
    module_name, _, name = target.rpartition(".")
    module = importlib.import_module(module_name)
    docstring = inspect.getdoc(getattr(module, name)) or ""
    source = (inspect.getdoc(module) or "").splitlines()[0]
    text = f"- `{target}`: `{docstring.splitlines()[0]}`  \n  {source}"
    pattern = r"Deviation: (.*?)(?:\n\n|\n[A-Z][a-z]+:|\Z)"
    for deviation in re.findall(pattern, docstring, re.DOTALL):
        text += f"  \n  Deviation: {' '.join(deviation.split())}"
    return text


def read_choices(content: Any) -> dict[str, str]:
    """Return the entries that a yaml's defaults choose, by group."""
    chosen = [d for d in content.get("defaults", ()) if isinstance(d, dict)]
    return {k.removeprefix("override /"): v for d in chosen for k, v in d.items()}


def read_numbers(paths: Iterable[Path]) -> dict[str, Any]:
    """Return the hyperparameters that entries of config groups set; files may be absent."""
    contents = [read_entry(path) for path in paths if path.is_file()]
    return {k: v for c in contents for k, v in c.get("hyperparameters", {}).items()}


def render_page(path: Path) -> str:
    """Render the page of the variant in `conf/variant/NAME.yaml`."""
    content = yaml.safe_load(path.read_text())
    chosen = read_choices(content)
    loss = CONF / "loss" / f"{chosen['loss']}.yaml"
    chosen |= read_choices(yaml.safe_load(loss.read_text()))
    penalties = [CONF / g / f"{chosen[g]}.yaml" for g in PARTS if chosen.get(g, "none") != "none"]
    model = CONF / "model" / f"{chosen['model']}.yaml"
    lines = [f"# {path.stem}", "", "  \n".join(read_head_comment(path)[0]), ""]
    lines += ["```", f"python -m bench.train variant={path.stem}", "```", ""]
    if path.stem in SEEN:
        lines += describe_seen(path.stem, **SEEN[path.stem])
    lines += ["## Hyperparameters", "", "| name | default |", "|---|---|"]
    needs = [p.parent / "needs" / p.name for p in penalties]  # composed last, see conf/config.yaml
    own = content["hyperparameters"]
    numbers = {**read_numbers(penalties), **own, **read_numbers(needs)}
    lines += [f"| `{k}` | {numbers[k]} |" for k in dict.fromkeys((*own, *numbers))]
    nodes = [read_entry(p) for p in (loss, *penalties)]
    targets = dict.fromkeys(target for node in nodes for target in find_targets(node))
    lines += ["", "## Mathematics", "", *map(describe_target, targets)]
    trained, *parts = find_targets(read_entry(model))
    parts = [
        part for part in parts if part.startswith(("bench.losses.", "bench.models.estimators."))
    ]
    lines += ["", "## Training", "", *map(describe_target, [trained, *parts])]
    sources = (path, loss, *penalties, model)
    deviations = [d for p in sources for d in read_head_comment(p)[1]]
    if deviations:
        lines += ["", "## Deviations", "", *(f"- {d}" for d in deviations)]
    files = ", ".join(f"`conf/{p.parent.name}/{p.name}`" for p in sources)
    return "\n".join([*lines, "", f"Generated by `make docs` from {files}."]) + "\n"


def describe_seen(name: str, *, score: float, real: float, seconds: float, words: str) -> list[str]:
    """Return the section of a variant's run with `preset=quick` on digits, from `make_seen.py`."""
    return [
        "## On digits",
        "",
        f"With `preset=quick`, the default, on 8x8 digits: Frechet distance {score:.2f} (real data "
        f"{real:.2f}) after {seconds:.0f} s on one core of a shared machine.{words}",
        "",
        f"![Samples; real digits on the right](images/{name}.png)",
        "",
    ]


def render_index(variants: list[Path]) -> str:
    """Render the index: all variants, then every loss and every penalty with its deviations."""
    lines = ["# Variants, losses and penalties", "", "| variant | |", "|---|---|"]
    lines += [f"| [{p.stem}]({p.stem}.md) | {read_head_comment(p)[0][0]} |" for p in variants]
    lines += ["", "## Losses", "", "Variants of `model=gan` can train with each other's losses:"]
    lines += ["`variant=lsgan loss=lsgan_logits`.", "", *list_entries("loss")]
    lines += ["", "## Penalties", "", "Any loss of `model=gan` can have any penalty:"]
    lines += ["`loss=hinge penalty=r1`.", "", *list_entries("penalty")]
    for group, sentence in FURTHER.items():
        lines += ["", f"## {group.capitalize()}", "", sentence, "", *list_entries(group)]
    return "\n".join([*lines, "", "Generated by `make docs`."]) + "\n"


def list_entries(group: str) -> list[str]:
    """List every entry of a config group with its deviations."""
    lines = []
    for path in sorted((CONF / group).glob("*.yaml")):
        head, deviations = read_head_comment(path)
        lines += [f"- **{path.stem}**: {' '.join(head)}"]
        lines += [f"  - Deviation: {d}" for d in deviations]
    return lines


def main() -> int:
    """Write all pages, or with `--check` exit with 1 if one is stale."""
    variants = sorted((CONF / "variant").glob("*.yaml"))
    wanted = {PAGES / f"{p.stem}.md": render_page(p) for p in variants}
    wanted[PAGES / "README.md"] = render_index(variants)
    present = {p: p.read_text() for p in PAGES.glob("*.md")} if PAGES.is_dir() else {}
    if "--check" in sys.argv:
        paths = wanted.keys() | present.keys()
        stale = sorted(p.name for p in paths if wanted.get(p) != present.get(p))
        print(f"stale: {', '.join(stale)}; run `make docs`" if stale else "up to date")
        return 1 if stale else 0
    PAGES.mkdir(exist_ok=True)
    for path in present.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
