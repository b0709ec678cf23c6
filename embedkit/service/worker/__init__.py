"""One process: its model and its one queue of batches."""
