"""One file for each statement of the seed documents: tNN_*.py defines the EXPERIMENT of TNN."""
