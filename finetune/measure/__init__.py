"""Metrics, baselines, scores over seeds, and what a reader sees of them."""
