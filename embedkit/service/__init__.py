"""The HTTP service: FastAPI and uvicorn around one model that is asked by many.

server     the supervisor and its workers: sockets, signals, new models
publishing what the supervisor lays out of a model for all workers to map
model      the model that a worker holds, and how it changes
app        the routes: parse, ask, answer
"""
