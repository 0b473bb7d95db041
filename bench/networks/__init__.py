"""Networks by architecture; each file holds the pairs that its architecture has."""
