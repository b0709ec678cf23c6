"""A lone client with small requests beside four with large ones, for bench_service.

Each large load is legal: it respects the limits of the service. The small client sends one request
of each route in turn and measures how long the response takes, first alone, then beside each load.

Each client has an address of its own, because the service takes those of one address for one client
(on Linux, all addresses from 127.0.0.1 to 127.255.255.254 are those of this machine). The large
ones have the lowest priority: they stand for other machines, and must not take processors from the
service.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarking import Report, note

__all__ = ["add_fairness_tables", "measure_fairness", "measure_spread", "write_texts"]

HEAVY_CLIENTS = 4
LOWEST_PRIORITY = 19
DOCUMENTS = 2_000  # that are searched
LABELED = 200  # of them, with which a classifier is trained
BAR = 10  # the p99 beside a load must be at most this many times that alone
Request = tuple[str, bytes | None]
"""A path, and the body of a POST."""


def post(path: str, body: object) -> Request:
    return path, json.dumps(body).encode()


def write_texts(model: Path, words: Sequence[str], folder: Path, seed: int) -> list[str]:
    """Write a classifier and an index of random texts; return the options that serve them."""
    import embedkit
    from embedkit.classification import TextClassifier

    choose = random.Random(seed)
    texts = [" ".join(choose.choices(words[:20_000], k=60)) for _ in range(DOCUMENTS)]
    labels = [str(number % 4) for number in range(LABELED)]
    classifier = TextClassifier.train(texts[:LABELED], labels, embedkit.load(model))
    classifier.save(folder / "classifier")
    documents = ((str(number), text) for number, text in enumerate(texts))
    embedkit.TextIndex.build(documents, folder / "texts.index", model)
    return ["--classifier", str(folder / "classifier"), "--search", str(folder / "texts.index")]


def light_requests(words: Sequence[str], choose: random.Random) -> dict[str, Request]:
    """Return a small request for each route."""
    a, b, c = choose.sample(words[:2_000], 3)
    unknown = a[::-1] + "qx"
    return {
        "/healthz": ("/healthz", None),
        "/readyz": ("/readyz", None),
        "/metrics": ("/metrics", None),
        "/v1/model": ("/v1/model", None),
        "/v1/models": ("/v1/models", None),
        "/v1/words": (f"/v1/words?prefix={a[0]}", None) if a.isascii() else ("/v1/words", None),
        "/v1/map": ("/v1/map", None),
        "/v1/neighbors": post("/v1/neighbors", {"word": a}),
        "/v1/neighbors, unknown": post("/v1/neighbors", {"word": unknown}),
        "/v1/query": post("/v1/query", {"expression": f"{a} - {b} + {c}"}),
        "/v1/analogy": post("/v1/analogy", {"a": a, "b": b, "c": c}),
        "/v1/distance": post("/v1/distance", {"words": [a, b, c]}),
        "/v1/compare": post("/v1/compare", {"words": [a, b, c]}),
        "/v1/project": post("/v1/project", {"words": [a, b, c]}),
        "/v1/similarity": post("/v1/similarity", {"sets": [[a], [b]]}),
        "/v1/odd-one-out": post("/v1/odd-one-out", {"words": [a, b, c]}),
        "/v1/rank": post("/v1/rank", {"word": a, "neighbor_of": b}),
        "/v1/transfer": post("/v1/transfer", {"pairs": [[a, b]], "words": [c]}),
        "/v1/embeddings": post("/v1/embeddings", {"input": f"{a} {b}"}),
        "/v1/classify": post("/v1/classify", {"text": f"{a} {b}"}),
        "/v1/search": post("/v1/search", {"question": f"{a} {b}"}),
    }


def heavy_loads(words: Sequence[str], choose: random.Random) -> dict[str, Request]:
    """Return the request that each load repeats."""

    def some(number: int) -> list[str]:
        return choose.sample(words, min(number, len(words)))

    def word() -> str:
        return choose.choice(words)

    def nonsense() -> str:
        return "".join(choose.choices("abcdefghijklmnop", k=6))

    def neighbors(number: int, **options: Callable[[], object]) -> Request:
        asked = [
            {"word": word()} | {k: option() for k, option in options.items()} for _ in range(number)
        ]
        return post("/v1/neighbors", asked)

    def analogy() -> dict[str, str]:
        return {"a": word(), "b": word(), "c": word(), "method": "3cosmul"}

    def rank() -> dict[str, str]:
        first, second = some(2)
        return {"word": first, "neighbor_of": second}

    def long_sum() -> str:
        return " + ".join(some(200))[:900].rpartition(" + ")[0]

    texts = [" ".join(nonsense() for _ in range(70)) for _ in range(2_000)]
    size = len(words)
    return {
        "embeddings of unknown words": post("/v1/embeddings", {"input": texts}),
        "embeddings of known words": post(
            "/v1/embeddings", {"input": [" ".join(some(40)) for _ in range(2_000)]}
        ),
        "100 exclusions each": neighbors(200, exclude=lambda: some(100), k=lambda: 90),
        "a restriction each": neighbors(
            200, restrict=lambda: choose.randint(size // 2, size), k=lambda: 90
        ),
        "1,000 answers each": neighbors(20, k=lambda: 1_000),
        "256 questions": neighbors(256),
        "256 distances": neighbors(256, metric=lambda: "l2"),
        "256 unknown words": post("/v1/neighbors", [{"word": nonsense()} for _ in range(256)]),
        "spelling": post(
            "/v1/neighbors", [{"word": nonsense(), "oov": "spell"} for _ in range(16)]
        ),
        "3CosMul": post("/v1/analogy", [analogy() for _ in range(64)]),
        "long expressions": post("/v1/query", [{"expression": long_sum()} for _ in range(16)]),
        "tables": post("/v1/compare", [{"words": some(100)} for _ in range(10)]),
        "projections": post(
            "/v1/project", [{"words": some(100), "fit": "words"} for _ in range(10)]
        ),
        "ranks": post("/v1/rank", [rank() for _ in range(64)]),
        "transfers": post("/v1/transfer", {"pairs": [some(2)], "words": some(64), "k": 100}),
        "texts to classify": post(
            "/v1/classify", [{"text": " ".join(some(400))[:10_000]} for _ in range(100)]
        ),
        "document searches": post(
            "/v1/search", [{"question": " ".join(some(8)), "k": 7} for _ in range(256)]
        ),
        "lists of words": ("/v1/words?limit=10000", None),
        "maps": ("/v1/map", None),
    }  # fmt: skip


def measure_fairness(
    url: str, words: Sequence[str], *, rounds: int, seed: int, loads: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the latencies of each small request alone and beside each load, in milliseconds."""
    choose = random.Random(seed)
    light = light_requests(words, choose)
    ask_all(url, light, 5)  # imports modules and computes the map
    alone = ask_all(url, light, rounds)
    results: dict[str, Any] = {"alone": alone, "beside": {}}
    for name, request in heavy_loads(words, choose).items():
        if loads is not None and name not in loads:
            continue
        note(f"beside {HEAVY_CLIENTS} clients: {name}")
        with repeated(url, request):
            results["beside"][name] = ask_all(url, light, rounds)
    return results


def ask_all(url: str, light: Mapping[str, Request], rounds: int) -> dict[str, dict[str, float]]:
    """Send every request *rounds* times; return percentiles, and the number of refusals."""
    times: dict[str, list[float]] = {name: [] for name in light}
    refused = dict.fromkeys(light, 0)
    connection = connect(url, 0)
    for _ in range(rounds):
        for name, request in light.items():
            start = time.perf_counter()
            status = ask(connection, request)
            times[name].append(1e3 * (time.perf_counter() - start))
            refused[name] += status in (429, 503)
    connection.close()
    return {
        name: {
            "p50": percentile(found, 0.5), "p99": percentile(found, 0.99), "refused": refused[name],
        }
        for name, found in times.items()
    }  # fmt: skip


def connect(url: str, client: int) -> http.client.HTTPConnection:
    """Return a connection from the address of a client with this number."""
    parts = urlsplit(url)
    address = (f"127.0.0.{2 + client}", 0) if sys.platform == "linux" else None
    return http.client.HTTPConnection(
        str(parts.hostname), parts.port, timeout=120, source_address=address
    )


def ask(connection: http.client.HTTPConnection, request: Request) -> int:
    """Send a request, read the response, and return its status."""
    path, body = request
    headers = {} if body is None else {"Content-Type": "application/json"}
    connection.request("GET" if body is None else "POST", path, body, headers)
    response = connection.getresponse()
    response.read()
    return response.status


def percentile(found: Sequence[float], share: float) -> float:
    return sorted(found)[min(int(share * len(found)), len(found) - 1)]


@contextmanager
def repeated(url: str, request: Request) -> Iterator[None]:
    """Let four clients repeat a request, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ready = context.Semaphore(0)
    clients = [
        context.Process(target=repeat, args=(url, number, request, ready), daemon=True)
        for number in range(1, HEAVY_CLIENTS + 1)
    ]
    for client in clients:
        client.start()
    for _ in clients:
        ready.acquire()
    try:
        yield
    finally:
        for client in clients:
            client.terminate()
        for client in clients:
            client.join()


def repeat(url: str, client: int, request: Request, ready: Any) -> None:
    """Repeat a request until the process is ended; after a refusal, wait as told."""
    os.nice(LOWEST_PRIORITY)
    connection = connect(url, client)
    ready.release()
    while True:
        if ask(connection, request) in (429, 503):
            time.sleep(1)


def measure_spread(url: str, workers: Sequence[int], rounds: int = 20) -> list[list[int]]:
    """Return how many of eight connections each worker got, in several rounds."""
    wait_for_all(url, workers)
    spread = []
    for _ in range(rounds):
        connections = [connect(url, 0) for _ in range(8)]
        before = {pid: sockets_of(pid) for pid in workers}
        for connection in connections:
            ask(connection, ("/healthz", None))
        spread.append([sockets_of(pid) - before[pid] for pid in workers])
        for connection in connections:
            connection.close()
        time.sleep(0.1)
    return spread


def wait_for_all(url: str, workers: Sequence[int], seconds: float = 60) -> None:
    """Wait until all workers listen: the first one that does gets all connections at first."""
    end = time.monotonic() + seconds
    while listening_at(urlsplit(url).port or 0) < len(workers):
        if time.monotonic() > end:
            sys.exit(f"not all workers listen at {url}")
        time.sleep(0.01)


def listening_at(port: int) -> int:
    """Return the number of sockets that listen on a port."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        state == "0A" and int(local.partition(":")[2], 16) == port
        for _, local, _, state, *_ in sockets
    )


def sockets_of(pid: int) -> int:
    """Return the number of open sockets of a process."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a file that was just closed
            count += str(link.readlink()).startswith("socket:")
    return count


def add_fairness_tables(
    report: Report, results: Mapping[str, Any], spread: Sequence[Sequence[int]]
) -> None:
    """Add a row for each route: alone, and beside the load that delays it most; and the spread."""
    report.text(f"\na lone client beside {HEAVY_CLIENTS} clients with large requests\n")
    report.table(
        "fairness",
        {
            "route": ("route", ""),
            "alone": ("p99 alone, ms", ".1f"),
            "beside": ("p99 beside, ms", ".1f"),
            "load": ("the worst load", ""),
            "ratio": (f"ratio (bar {BAR})", ".1f"),
            "refused": ("refused", "d"),
        },
    )
    for route, alone in results["alone"].items():
        found = {name: routes[route] for name, routes in results["beside"].items()}
        worst = max(found, key=lambda name: found[name]["p99"])
        report.row(
            route=route,
            alone=alone["p99"],
            beside=found[worst]["p99"],
            load=worst,
            ratio=found[worst]["p99"] / alone["p99"],
            refused=sum(beside["refused"] for beside in found.values()),
        )
    counts = Counter("/".join(map(str, sorted(round_, reverse=True))) for round_ in spread)
    shown = ", ".join(f"{split} {number} times" for split, number in counts.most_common())
    expected = len(spread) / 2**7
    report.text(
        f"\neight connections to two workers: {shown} (at random, 8/0 {expected:.2g} times)"
    )
