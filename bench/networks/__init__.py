"""Networks, one file for each architecture: generators with their discriminators, encoders."""
