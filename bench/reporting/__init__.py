"""Rows to tables, figures and a page. No torch here: a report is made wherever the rows lie."""
