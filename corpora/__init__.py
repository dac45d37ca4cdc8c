"""Raw text to clean, deduplicated shards."""
