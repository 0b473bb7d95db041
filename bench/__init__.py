"""Created Equal: a reproducible benchmarking suite for generative adversarial networks."""

__version__ = "0.1.0"
