"""What a report draws, a file for each kind of figure."""
