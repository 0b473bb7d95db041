"""Words and formatted cells of a report."""
