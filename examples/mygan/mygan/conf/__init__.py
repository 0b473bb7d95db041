"""Entries of config groups: conf/GROUP/NAME.yaml. Hydra looks for this file."""
