"""A corpus to token shards, and shards to the batches of a run."""
