"""What the operating system gives: files, compression, threads, processes, memory, random draws."""
