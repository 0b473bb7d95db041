"""Style, scales, labels and image grids shared by reports, theory experiments and training."""
