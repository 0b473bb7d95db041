"""Compute the tables of a report: group comparable rows, average over seeds, test the order."""
