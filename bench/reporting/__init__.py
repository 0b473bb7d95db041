"""Reports from rows, and the rows of reports: `bench.reporting.load("results/quick")`."""

from bench.reporting.archive.read import Study, load

__all__ = ["Study", "load"]
