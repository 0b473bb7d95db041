"""Many runs: their plan on disk, their launches, and the counts at the end."""
