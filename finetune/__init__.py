"""Benchmark tasks to heads, scores and predictions."""
