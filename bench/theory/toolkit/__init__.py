"""Training loops, critics, intervals and axes that several experiments share."""
