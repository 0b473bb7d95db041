"""Render a report as a page, Markdown, LaTeX, CSV and terminal text."""
