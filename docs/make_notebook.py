"""Write docs/claims.ipynb: every statement in order, measured by its small budget and shown.

`python docs/make_notebook.py` writes and executes it; results land in runs/, where a second
execution reads them.
"""

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from bench.core.files import write_text
from bench.theory.catalogue import experiments_by_id

HERE = Path(__file__).parent
INTRODUCTION = """# From GAN to Wasserstein GAN, statement by statement

Peng Xu's slides "From GAN to Wasserstein GAN" (Columbia University, 2020) and a blog post,
"Wasserstein Generative Adversarial Networks", on the Wasserstein GAN of Arjovsky et al. 2017
([arXiv:1701.07875](https://arxiv.org/abs/1701.07875)) make 25 statements. Each is an experiment
here: `run("T7")` measures it, or reads what was measured before, and returns numbers, verdict and
figures. All run by their small budgets, a few minutes together on two cores; after
`bench claims --quick` this notebook only reads. Verdicts by the full budgets are in
[results/claims](../results/claims/report.md)."""
START = '''from bench.theory.runner import run

RUNS = "runs"


def show(name):
    """Measure a statement, or read it, and show its verdict and its figures."""
    outcome = run(name, quick=True, runs_root=RUNS)
    display(outcome, *outcome.figures)
    return outcome'''
END = """## Distances alone

`bench.divergences` needs no network and no training ([docs/divergences.md](divergences.md)):"""
DISTANCES = """import numpy as np

from bench import divergences as d

real = d.Measure.of(np.array([[0.0], [1.0]]))
fake = d.Measure.of(np.array([[0.0], [3.0]]))
d.wasserstein(real, fake, 1), d.js(real, fake), d.kl(real, fake)"""


def notebook() -> nbformat.NotebookNode:
    """Build the notebook without outputs; its cells have the same ids each time."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = [new_markdown_cell(INTRODUCTION), new_code_cell(START)]
    for one in experiments_by_id().values():
        text = f"## {one.id}. {one.title}\n\n> {one.statement} *({one.source})*\n\n"
        text += f"**Experiment.** {one.setup}"
        if one.caveat:
            text += f"\n\n**Where the source is imprecise.** {one.caveat}"
        cells += [
            new_markdown_cell(text),
            new_code_cell(f'{one.id.lower()} = show("{one.id}")'),
        ]
    cells += [new_markdown_cell(END), new_code_cell(DISTANCES)]
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def execute(book: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Run the notebook in a folder and return it with outputs; an error in a cell raises."""
    NotebookClient(
        book, timeout=3600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    for cell in book.cells:
        cell.metadata.pop("execution", None)  # when each cell ran
        if cell.cell_type == "code":  # Lightning's notes and torch's warnings come on stderr
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    return book


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", default=str(HERE / "claims.ipynb"))
    book = execute(notebook(), HERE.parent)
    book.metadata.pop("language_info", None)
    write_text(Path(parser.parse_args().to), nbformat.writes(book) + "\n")
