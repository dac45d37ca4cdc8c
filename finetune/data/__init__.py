"""Benchmark tasks: what they are, their rows read, checked and split."""
