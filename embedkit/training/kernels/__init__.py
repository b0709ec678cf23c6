"""Kernels: pure functions over arrays that all compute the same training step."""
