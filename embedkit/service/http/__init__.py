"""Limits, keys, headers, errors: what holds for every request."""
