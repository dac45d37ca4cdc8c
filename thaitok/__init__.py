"""Thai tokenizers: text rules, training, conversion, publishing, and the `thaitok` command."""
