"""Style, scales, labels and image grids shared by reports, experiments and training pictures."""
