"""Compute what figures and claims show, from tables and searches."""
