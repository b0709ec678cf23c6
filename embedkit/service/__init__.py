"""The HTTP service: FastAPI and uvicorn serving one model to many clients.

server    the supervisor of the worker processes: sockets, signals, new models
app       the ASGI application of a worker
api/      routes, and the schemas of requests and responses
worker/   the model of a worker, batches of searches, publishing new models
limits    the limits on connections and requests
http/     connections, API keys, errors, metrics
"""
