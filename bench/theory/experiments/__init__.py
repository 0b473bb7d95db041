"""One file for each statement of the seed documents."""
