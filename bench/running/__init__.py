"""One run from config to row: build, train, watch, keep, score."""
