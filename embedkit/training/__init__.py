"""Corpus in, matrices out."""
