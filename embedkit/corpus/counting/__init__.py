"""Counting the words of a text: from blocks of tokens to ids, in memory or on disk."""
