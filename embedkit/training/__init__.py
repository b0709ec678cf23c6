"""Training: a corpus in, word vectors out."""
