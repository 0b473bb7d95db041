"""Make reports from scored runs, and load a report's rows: `bench.reporting.load("results/quick")`.

`data` collects runs, `tables` computes, `text`, `figures` and `charts` describe and draw, `claims`
assesses the study's claims, `output` renders, `archive` writes rows and reads them back.
"""

from bench.reporting.archive.read import Study, load

__all__ = ["Study", "load"]
