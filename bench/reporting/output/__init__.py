"""Render a report: the page (HTML), Markdown, LaTeX and CSV tables, and terminal text."""
