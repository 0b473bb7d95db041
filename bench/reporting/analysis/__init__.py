"""The numbers behind the figures of a report."""
