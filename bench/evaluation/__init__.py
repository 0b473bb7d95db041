"""Score checkpoints, real samples and images from elsewhere."""
