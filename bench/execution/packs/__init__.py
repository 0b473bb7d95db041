"""Train many runs side by side in one process."""
