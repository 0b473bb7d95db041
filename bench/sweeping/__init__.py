"""Many runs: their plan on disk, what becomes of each, the counts at the end."""
