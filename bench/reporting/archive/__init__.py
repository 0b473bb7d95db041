"""Write a report's data files and read them back."""
