"""The statements of the seed documents, each an experiment with a rule."""
