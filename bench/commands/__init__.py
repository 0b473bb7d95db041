"""One file for each `bench NAME`."""
