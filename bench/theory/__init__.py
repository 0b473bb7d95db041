"""The 25 statements of the seed documents (docs/claims.md), each tested by an experiment.

The experiment of statement T7 lies in `experiments/t07_rotation.py`, and so on for all of them:
`experiments/tNN_*.py` defines `EXPERIMENT`. `toolkit/` holds what several experiments share,
`runner.py` measures them (`run("T7")` in a notebook), `report.py` writes results/claims.
"""
