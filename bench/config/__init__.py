"""Check a composed config and build its objects; the only room that reads `_target_`."""
