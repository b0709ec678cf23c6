"""The limits on connections and requests. Larger requests are refused with an error."""

# Connections (http/protocol.py).
MAX_CONNECTIONS = 4_000  # of a worker
MAX_CONNECTIONS_OF_ADDRESS = MAX_CONNECTIONS // 2
REQUEST_SECONDS = 10.0  # for the headers and the body of a request together
CLOSING_SECONDS = 0.5  # in which idle connections may send a last request when the server stops
MAX_HEADER_BYTES = 32 << 10

# Bodies (http/guard.py). The largest body is a setting of the service.
BODIES_IN_FLIGHT = 64  # times the largest body: memory for bodies of unanswered requests
BODIES_OF_CLIENT = BODIES_IN_FLIGHT // 2
MAX_DRAINED = 16  # a body over this many times the limit is refused before all of it is read

# Parts of a request (api/).
MAX_BATCH = 256  # questions
MAX_K = 1_000  # answers to a question
MAX_ANSWERS = 20_000  # to all questions of a batch together
MAX_LIST = 100  # words in one table or projection, or to exclude
MAX_WORDS = 1_000  # words in all tables and projections of a batch together
MAX_WORD = 200  # characters
MAX_EXPRESSION = 1_000  # characters
MAX_EXPRESSIONS = 16_000  # characters of all expressions of a batch together
MAX_SLOW_ANALOGIES = 64  # analogies by methods that score the whole vocabulary
MAX_SCANS = 64  # ranks, or words to move: each scans all vectors by itself
MAX_SPELLED = 16  # questions whose unknown words are compared with the whole vocabulary
MAX_SPELLED_WORDS = 64  # unknown words in them
MAX_LISTED_WORDS = 10_000
MAX_TEXTS = 2_048
MAX_TEXT = 10_000  # characters of a text to classify

# Work on an answer (worker/).
MAX_SUGGESTED = 8  # unknown words of a batch that get suggestions
SUGGESTION_SECONDS = 0.1  # for one word; after it, less frequent words are not considered
