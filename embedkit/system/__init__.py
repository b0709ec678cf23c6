"""Files, compression, threads, ranks, memory, signals and random draws."""
