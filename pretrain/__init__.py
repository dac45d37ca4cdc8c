"""Token shards to RoBERTa by masked language modelling."""
