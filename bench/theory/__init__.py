"""Test 25 statements about GANs, from slides and a blog post (docs/claims.md), by experiment.

The experiment of statement T7 lies in `experiments/t07_rotation.py`, and so on for all of them:
`experiments/tNN_*.py` defines `EXPERIMENT`. `toolkit/` holds what several experiments share,
`runner.py` measures them (`run("T7")` in a notebook), `report.py` writes results/claims.
"""
