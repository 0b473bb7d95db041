"""Runs on disk: identity, folders, status, rows, plans. Plain Python, no torch."""
