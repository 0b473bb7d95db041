"""Scores as pure float64 functions of features, class scores or points: numpy in, floats out.

Each module says beside its formula in which direction a score is better (DIRECTIONS) and in
which unit it is (UNITS), by the score's name in a row.
"""
