"""Write a report's data files (rows, runs, curves, pictures) and load them back."""
