"""What the seed documents leave out, each with the statements that show it."""

OMISSIONS: tuple[tuple[tuple[str, ...], str], ...] = ()
