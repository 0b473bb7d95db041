"""Stand between samples and a critic: augmentation, its controller, normalisation."""
