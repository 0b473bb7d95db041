"""Prepare, train and finish one run: Lightning loop, monitor, checkpoints, digests, pictures."""
