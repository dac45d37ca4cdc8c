"""The passes over a corpus, each a datatrove pipeline of our own steps: split, clean, sign."""
