"""Score checkpoints, real samples and images that other software generated."""
