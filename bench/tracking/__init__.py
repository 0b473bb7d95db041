"""Send a run's history and scores to an experiment tracker, such as Weights & Biases."""
