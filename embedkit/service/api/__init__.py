"""The routes, and the schemas of requests and responses."""
