"""Scores as pure float64 functions of features, class scores or points: numpy in, floats out.

Each module declares beside its formula, by the score's name in a row: the direction in which it
is better (DIRECTIONS), its unit (UNITS), its name in words (TITLES) and where tables show it
(POSITIONS, lowest first; steps of ten leave room). `declarations` reads them all.
"""
