"""Encoders with heads: words and pieces, encoding, decoding."""
