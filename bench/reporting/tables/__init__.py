"""Group rows, summarise them and compare their methods."""
