"""Carry out one run, alone or in a pack, from its config to its row."""
