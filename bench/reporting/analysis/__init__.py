"""Compute what figures, charts and claims show, from tables and searches."""
