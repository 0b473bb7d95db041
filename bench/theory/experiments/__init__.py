"""One file for each of the 25 statements: tNN_*.py defines the EXPERIMENT of TNN."""
