"""Turn tables, metrics and protocols into text: table cells, titles and sentences."""
