"""The run: updates, evaluations, checkpoints, and going on after a kill."""
