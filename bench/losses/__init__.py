"""Losses as pure functions of logits or samples, one file for each."""
