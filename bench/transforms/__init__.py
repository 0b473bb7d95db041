"""What stands between samples and a critic: augmentation, its controller, normalisation."""
