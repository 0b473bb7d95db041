"""Penalties and constraints on the players: gradient penalties, clipping, historical averaging."""
