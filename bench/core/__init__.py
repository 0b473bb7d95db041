"""Objective, random streams, files, signals, distributed, errors: the lowest room."""
