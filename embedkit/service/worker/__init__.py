"""A worker process: its model and its queue of batches."""
