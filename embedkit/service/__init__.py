"""The HTTP service: FastAPI and uvicorn serving models to many clients.

server    the supervisor of the worker processes: signals, new models
listening the sockets
app       the ASGI application of a worker
api/      routes, and the schemas of requests and responses
worker/   the models of a worker, batches of searches, other work in steps, publishing new models
limits    the limits on connections and requests
http/     connections, API keys, errors, metrics
"""
