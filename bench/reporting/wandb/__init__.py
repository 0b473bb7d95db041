"""Publish a report to Weights & Biases."""
