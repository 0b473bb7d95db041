"""Records of a sweep, collected from its runs."""
