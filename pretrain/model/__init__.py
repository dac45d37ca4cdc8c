"""Encoders of stock transformers modules on packed documents, and their masked-LM loss."""
