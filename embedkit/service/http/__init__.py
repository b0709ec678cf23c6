"""What applies to every request: connections, API keys, headers, errors and metrics."""
