"""What a run costs before it begins, and what it tells while it is under way."""
