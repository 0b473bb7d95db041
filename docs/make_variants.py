"""docs/variants/: a page a variant and an index, from yaml, comments and docstrings.

`make docs` writes them, `--check` says whether they are what would be written.
"""

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONF, PAGES = ROOT / "conf", ROOT / "docs" / "variants"


def comments(path: Path) -> tuple[list[str], list[str]]:
    """The comment lines at the head of a yaml: what it is, and its deviations."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        if "@package" not in line:
            lines.append(line.removeprefix("#").removeprefix(" "))
    text = "\n".join(lines)
    head, *deviations = re.split(r"(?m)^Deviation: ", text)
    return head.strip().split("\n"), [" ".join(d.split()) for d in deviations]


def targets(node: Any) -> list[str]:
    """Every `_target_` of ours below a node, in order, each once."""
    found: list[str] = []
    if isinstance(node, dict):
        if str(node.get("_target_", "")).startswith("bench."):
            found.append(node["_target_"])
        for item in node.values():
            found += targets(item)
    return list(dict.fromkeys(found))


def documented(target: str) -> str:
    """What the code says of a target: its equation, and the source that its module cites."""
    module_name, _, name = target.rpartition(".")
    module = importlib.import_module(module_name)
    thing = inspect.getdoc(getattr(module, name)) or ""
    cited = (inspect.getdoc(module) or "").splitlines()[0]
    text = f"- `{target}`: `{thing.splitlines()[0]}`  \n  {cited}"
    for deviation in re.findall(r"Deviation: (.*?)(?:\n\n|\n[A-Z][a-z]+:|\Z)", thing, re.DOTALL):
        text += f"  \n  Deviation: {' '.join(deviation.split())}"
    return text


def page(path: Path) -> str:
    """One variant's page."""
    content = yaml.safe_load(path.read_text())
    chosen = {k.removeprefix("override /"): v for d in content["defaults"] for k, v in d.items()}
    loss = CONF / "loss" / f"{chosen['loss']}.yaml"
    model = CONF / "model" / f"{chosen['model']}.yaml"
    lines = [f"# {path.stem}", "", "  \n".join(comments(path)[0]), ""]
    lines += ["```", f"python -m bench.train variant={path.stem}", "```", ""]
    lines += ["## Hyperparameters", "", "| name | default |", "|---|---|"]
    lines += [f"| `{k}` | {v} |" for k, v in content["hyperparameters"].items()]
    lines += ["", "## Mathematics", "", *map(documented, targets(yaml.safe_load(loss.read_text())))]
    trained, *parts = targets(yaml.safe_load(model.read_text()))
    parts = [
        part for part in parts if part.startswith(("bench.losses.", "bench.models.estimators."))
    ]
    lines += ["", "## Training", "", *map(documented, [trained, *parts])]
    deviations = [d for p in (path, loss, model) for d in comments(p)[1]]
    if deviations:
        lines += ["", "## Deviations", "", *(f"- {d}" for d in deviations)]
    files = ", ".join(f"`conf/{p.parent.name}/{p.name}`" for p in (path, loss, model))
    return "\n".join([*lines, "", f"Made by `make docs` from {files}."]) + "\n"


def index(variants: list[Path]) -> str:
    """All variants, then every loss, with its deviations."""
    lines = ["# Variants and losses", "", "| variant | |", "|---|---|"]
    lines += [f"| [{p.stem}]({p.stem}.md) | {comments(p)[0][0]} |" for p in variants]
    lines += ["", "Any loss can take the place of a variant's own:"]
    lines += ["`variant=lsgan loss=lsgan_logits`.", ""]
    for path in sorted((CONF / "loss").glob("*.yaml")):
        head, deviations = comments(path)
        lines += [
            f"- **{path.stem}**: {' '.join(head)}",
            *(f"  - Deviation: {d}" for d in deviations),
        ]
    return "\n".join([*lines, "", "Made by `make docs`."]) + "\n"


def main() -> int:
    """Write or check all pages."""
    variants = sorted((CONF / "variant").glob("*.yaml"))
    wanted = {PAGES / f"{p.stem}.md": page(p) for p in variants}
    wanted[PAGES / "README.md"] = index(variants)
    present = {p: p.read_text() for p in PAGES.glob("*.md")} if PAGES.is_dir() else {}
    if "--check" in sys.argv:
        either = wanted.keys() | present.keys()
        stale = sorted(p.name for p in either if wanted.get(p) != present.get(p))
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
