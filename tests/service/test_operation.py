"""Dying workers, changing models and signals, with real processes under load."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import httpx
import numpy as np
import pytest

from embedkit import formats
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.encoders import load
from embedkit.vectors.word_vectors import WordVectors
from tests.damage import save_unchecked
from tests.service.servers import (
    Start,
    accepted_connections,
    connect,
    listening_sockets,
    new_connections,
    read_all,
    wait_until,
    workers_of,
)

WORDS = ["paris", "france", "italy", "rome", "spain", "madrid"]


def save_model(path: Path, turn: int) -> None:
    """Save a model in which the word nearest to paris depends on *turn*."""
    rows = np.eye(len(WORDS), 8, dtype=np.float32)
    rows[1 + turn % 5] = [0.9, *[0.1] * 7]
    WordVectors(Vocabulary(WORDS), rows).save(path, overwrite=True)


def nearest_to_paris(turn: int) -> str:
    return WORDS[1 + turn % 5]


class Load:
    """Clients that send requests repeatedly, and their results."""

    def __init__(self, url: str, clients: int = 8) -> None:
        self.failures: list[object] = []
        self.answers: list[str] = []
        self.by_generation: defaultdict[int, set[str]] = defaultdict(set)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(url,)) for _ in range(clients)]

    def _ask(self, url: str) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not self._stop.is_set():
                try:
                    answer = client.post("/v1/neighbors", json={"word": "paris", "k": 1})
                    if answer.status_code == 200:
                        word = answer.json()["answers"][0]["word"]
                        self.answers.append(word)
                        self.by_generation[int(answer.headers["X-Embedkit-Generation"])].add(word)
                    else:
                        self.failures.append(answer.text)
                except httpx.HTTPError as error:
                    self.failures.append(error)
                time.sleep(0.01)  # so that the servers have time for something else

    def wait_for(self, count: int) -> None:
        """Wait for *count* more answers."""
        wanted = len(self.answers) + count
        deadline = time.monotonic() + 60
        while len(self.answers) < wanted:
            assert time.monotonic() < deadline, self.failures
            time.sleep(0.01)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize(
    "name",
    [
        "words.vec.gz",
        pytest.param("words.npz", marks=pytest.mark.slow),
        pytest.param("words-static", marks=pytest.mark.slow),
    ],
)
def test_files_of_other_programs_are_served_and_watched(
    start: Start, tmp_path: Path, name: str
) -> None:
    def write(turn: int) -> None:
        save_model(tmp_path / "model.embedkit", turn)
        form = "static" if name == "words-static" else None
        formats.convert(
            tmp_path / "model.embedkit", tmp_path / name, target_format=form, overwrite=True
        )

    write(0)
    server = start(tmp_path / name, "--reload-model")
    with httpx.Client(base_url=server.url) as client:
        for turn in range(3):
            if turn:
                write(turn)
                server.wait_for(rf"Serving generation {turn + 1} of the model")
            answer = client.post("/v1/neighbors", json={"word": "paris", "k": 1}).json()
            assert answer["answers"][0]["word"] == nearest_to_paris(turn)
        assert client.get("/v1/model").json()["name"] == name


TURNS = 5


def test_reloading_a_model_under_load_fails_no_request(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "model.embedkit"
    save_model(path, 0)
    server = start(path, "--workers", 2, "--reload-model")
    server.wait_for("startup complete", count=2)
    with Load(server.url) as load:
        for turn in range(1, TURNS + 1):
            save_model(path, turn)
            if turn % 2:  # with a signal every second time
                server.process.send_signal(signal.SIGHUP)
            server.wait_for(rf"Serving generation {turn + 1} ", count=2)
            load.wait_for(30)
            assert nearest_to_paris(turn) in load.answers[-20:]
    assert load.failures == []
    assert set(load.answers) == {nearest_to_paris(turn) for turn in range(5)}
    for generation, words in load.by_generation.items():
        assert words == {nearest_to_paris(generation - 1)}
    assert len(load.by_generation) >= TURNS
    with httpx.Client(base_url=server.url) as client:
        model = client.get("/v1/model")
        assert model.json()["generation"] == TURNS + 1
        words = {"word": "paris"}, {"word": "unknown"}
        answers = [client.post("/v1/neighbors", json=body) for body in words]
        answers += [client.get("/v1/map"), client.get("/v1/words"), model]
        assert {answer.headers["X-Embedkit-Generation"] for answer in answers} == {str(TURNS + 1)}


def test_a_killed_worker_is_replaced(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "model.embedkit"
    save_model(path, 0)
    server = start(path, "--workers", 2)
    server.wait_for("startup complete", count=2)
    first, second = server.workers
    with Load(server.url) as load:
        load.wait_for(50)
        os.kill(first, signal.SIGKILL)
        load.wait_for(100)  # the other worker gets all connections
        server.wait_for(r"Child process \[\d+\] died")
        server.wait_for("startup complete", count=3)
        workers = server.workers
    assert len(workers) == 2
    assert second in workers
    assert first not in workers
    # Each client may lose the request that is in the killed worker, and learns of it at once.
    assert len(load.failures) <= 8
    assert all(
        isinstance(failure, httpx.NetworkError | httpx.ProtocolError) for failure in load.failures
    )


def test_a_damaged_model_is_refused_and_the_old_one_served(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "model.embedkit"
    save_model(path, 0)
    server = start(path, "--reload-model")
    with httpx.Client(base_url=server.url) as client:
        (path / "vocabulary.arrow").write_bytes(b"no vocabulary")
        server.wait_for(
            "The new model model cannot be served. Still serving the old one: .* is damaged"
        )
        shutil.rmtree(path)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("Still serving the old one: .*")
        rows = np.full((len(WORDS), 8), np.nan, dtype=np.float32)
        save_unchecked(path, WORDS, rows)
        server.wait_for("contains NaN or infinity")
        # A worker that starts now also gets the old model.
        os.kill(server.workers[0], signal.SIGKILL)
        server.wait_for("startup complete", count=2)
        answer = client.post("/v1/neighbors", json={"word": "paris", "k": 1}).json()
        assert answer["answers"][0]["word"] == nearest_to_paris(0)
        assert client.get("/v1/model").json()["generation"] == 1
        save_model(path, 1)
        server.wait_for("Serving generation 2 ")
        answer = client.post("/v1/neighbors", json={"word": "paris", "k": 1}).json()
        assert answer["answers"][0]["word"] == nearest_to_paris(1)


def test_requests_in_progress_are_answered_on_sigterm(start: Start, model: Path) -> None:
    server = start(model, "--workers", 2)
    server.wait_for("startup complete", count=2)
    body = b'{"word": "paris", "k": 3}'
    head = b"POST /v1/neighbors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with contextlib.ExitStack() as stack:
        half_sent = []
        for _ in range(8):
            connection = stack.enter_context(connect(server))
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
            half_sent.append(connection)
        ports = {connection.getsockname()[1] for connection in half_sent}
        wait_until(
            lambda: (
                ports == {one.client_port for one in accepted_connections(server) if not one.unread}
            )
        )
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("Shutting down", count=2)
        for connection in half_sent:
            connection.sendall(body[10:])
            answer = read_all(connection)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            assert b"connection: close" in answer
    assert server.process.wait(30) == 0


def test_keep_alive_clients_see_no_reset_on_sigterm(start: Start, tmp_path: Path) -> None:
    """The last answer of each connection says that it is closed."""
    save_model(tmp_path / "model.embedkit", 0)
    server = start(tmp_path / "model.embedkit")
    host = server.url.removeprefix("http://")
    last: list[str | None] = []
    failures: list[object] = []
    answered = threading.Barrier(9)

    def ask() -> None:
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            for number in range(1_000_000):
                connection.request("GET", "/v1/words")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failures.append(answer.status)
                if answer.will_close:
                    last.append(answer.getheader("connection"))
                    return
                if number == 10:
                    answered.wait(60)
        except (OSError, http.client.HTTPException) as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    answered.wait(60)
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert last == ["close"] * 8
    assert server.process.wait(30) == 0


def test_connections_are_spread_over_the_workers(start: Start, tmp_path: Path) -> None:
    save_model(tmp_path / "model.embedkit", 0)
    server = start(tmp_path / "model.embedkit", "--workers", 2)
    wait_until(lambda: listening_sockets(server) == 2)

    def sockets() -> list[int]:
        return [len([*Path(f"/proc/{pid}/fd").iterdir()]) for pid in server.workers]

    with contextlib.ExitStack() as stack:
        before = sockets()
        for _ in range(64):
            connection = stack.enter_context(connect(server))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        gained = [after - before for after, before in zip(sockets(), before, strict=True)]
    assert min(gained) >= 10  # less than this has a probability below 1e-8


def test_several_models_are_served_and_reloaded_separately(start: Start, tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.embedkit" for name in ("first", "second")}
    save_model(paths["first"], 0)
    save_model(paths["second"], 1)
    server = start(f"one={paths['first']}", "--model", f"two={paths['second']}", "--reload-model")

    def nearest(client: httpx.Client, **model: str) -> tuple[str, str]:
        asked = {"word": "paris", "k": 1, **model}
        answer = client.post("/v1/neighbors", json=asked)
        return answer.json()["answers"][0]["word"], answer.headers["X-Embedkit-Generation"]

    with httpx.Client(base_url=server.url) as client:
        names = [model["id"] for model in client.get("/v1/models").json()["data"]]
        assert names == ["one", "two"]
        assert nearest(client) == nearest(client, model="one") == (nearest_to_paris(0), "1")
        assert nearest(client, model="two") == (nearest_to_paris(1), "1")
        save_model(paths["second"], 2)
        server.wait_for("Serving generation 2 of the model two")
        assert nearest(client, model="two") == (nearest_to_paris(2), "2")
        assert nearest(client) == (nearest_to_paris(0), "1")
        asked = [{"word": "paris", "k": 1, "model": name} for name in ("two", "one", "three")]
        two, one, three = client.post("/v1/neighbors", json=asked).json()
        assert two["answers"][0]["word"] == nearest_to_paris(2)
        assert one["answers"][0]["word"] == nearest_to_paris(0)
        assert three["error"]["message"] == "There is no model 'three'."
        for path in ("words", "map", "model"):
            answer = client.get(f"/v1/{path}", params={"model": "two"})
            assert answer.headers["X-Embedkit-Generation"] == "2"
            assert client.get(f"/v1/{path}", params={"model": "three"}).status_code == 404
        asked_texts = {"input": "paris", "model": "two"}
        assert client.post("/v1/embeddings", json=asked_texts).json()["model"] == "two"
        asked_texts["model"] = "text-embedding-3-small"
        assert client.post("/v1/embeddings", json=asked_texts).status_code == 404
        text = client.get("/metrics").text
        assert 'embedkit_model_generation{model="two"} 2.0' in text


def test_temporary_files_are_removed_at_exit(start: Start, model: Path, tmp_path: Path) -> None:
    server = start(model, "--workers", 2, TMPDIR=str(tmp_path))
    [folder] = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {"model0", "metrics"}
    assert {path.name for path in (folder / "model0").iterdir()} == {"current", "1"}
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert server.stop() == 0
    assert list(tmp_path.iterdir()) == []


LAID_OUT = """
import signal, sys
from embedkit.cli import main
from embedkit.service.worker import publishing

def write_serving_copy(model, target):
    target.mkdir()
    {raised}

publishing.write_serving_copy = write_serving_copy
publishing.load_encoder = lambda path: None
sys.argv = ["embedkit", "serve", "--port", "0"]
main()
"""
RAISED = {
    "raised": "signal.raise_signal(signal.SIGHUP)",
    "lost": "try: signal.raise_signal(signal.SIGHUP)\n    except BaseException: pass",
}


@pytest.mark.parametrize("raised", RAISED.values(), ids=RAISED)
def test_a_signal_before_the_supervisor_is_there_ends_the_command(
    raised: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LAID_OUT.format(raised=raised)], capture_output=True, text=True,
        check=False, timeout=60, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGHUP
    assert done.stderr.endswith("Interrupted.\n")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def wait_until_gone(pids: list[int]) -> None:
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def has_begun(worker: int) -> bool:
    """Return whether a worker has received from the supervisor what it needs to start."""
    with contextlib.suppress(FileNotFoundError):
        return "_asyncio" in Path(f"/proc/{worker}/maps").read_text()
    return False


def test_workers_exit_and_clean_up_when_the_supervisor_is_killed(
    start: Start, model: Path, tmp_path: Path
) -> None:
    server = start(model, "--workers", 2, TMPDIR=str(tmp_path))
    server.wait_for("startup complete", count=2)
    workers = server.workers
    server.process.kill()
    wait_until_gone(workers)
    assert list(tmp_path.iterdir()) == []


def test_starting_workers_exit_when_the_supervisor_is_killed(model: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "embedkit", "serve", "--model", model, "--port=0", "--workers=2"],
        stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    wait_until(lambda: len(workers_of(process.pid)) == 2)
    workers = workers_of(process.pid)
    wait_until(lambda: all(map(has_begun, workers)))
    process.kill()
    process.wait()
    wait_until_gone(workers)
    assert list(tmp_path.iterdir()) == []


def test_workers_share_one_copy_of_the_vectors(start: Start, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40_000, 200)).astype(np.float32)
    words = [f"word{number}" for number in range(len(rows))]
    WordVectors(Vocabulary(words), rows).save(tmp_path / "model.embedkit")
    server = start(tmp_path / "model.embedkit", "--workers", 2)
    server.wait_for("startup complete", count=2)
    for worker in server.workers:
        maps = Path(f"/proc/{worker}/smaps").read_text().split("vectors.safetensors\n")[1:]
        assert maps
        for mapping in maps:
            fields = dict(line.split(":") for line in mapping.splitlines()[:22] if ": " in line)
            assert fields["Private_Dirty"].split()[0] == "0"
    expected = load(tmp_path / "model.embedkit").neighbors("word7", 2)
    with httpx.Client(base_url=server.url) as client:
        found = client.post("/v1/neighbors", json={"word": "word7", "k": 2}).json()["answers"]
    assert [one["word"] for one in found] == [neighbor.word for neighbor in expected]


def test_metrics_are_summed_over_workers(start: Start, model: Path) -> None:
    server = start(model, "--workers", 2)
    server.wait_for("startup complete", count=2)
    with new_connections(server) as client:
        for _ in range(30):
            assert client.post("/v1/neighbors", json={"word": "paris"}).status_code == 200
        assert client.post("/v1/neighbors", json={"word": "nowhere"}).status_code == 404
        text = client.get("/metrics").text
    assert 'embedkit_requests_total{route="/v1/neighbors",status="200"} 30.0' in text
    assert 'embedkit_requests_total{route="/v1/neighbors",status="404"} 1.0' in text
    assert 'embedkit_errors_total{type="unknown_word"} 1.0' in text
    assert 'embedkit_request_seconds_count{route="/v1/neighbors"} 31.0' in text
    assert "embedkit_batch_questions_sum 31.0" in text


def test_each_worker_reports_its_generation(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "model.embedkit"
    save_model(path, 0)
    server = start(path, "--workers", 3)
    server.wait_for("startup complete", count=3)
    for generation in (1, 2):
        if generation == 2:
            save_model(path, 1)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("Serving generation 2 ", count=3)
        text = httpx.get(f"{server.url}/metrics").text
        rows = re.findall(
            r'^embedkit_model_generation\{model="model",pid="(\d+)"\} (.*)$', text, re.MULTILINE
        )
        assert {int(pid): float(value) for pid, value in rows} == dict.fromkeys(
            server.workers, float(generation)
        )


def test_a_worker_that_cannot_watch_the_model_exits(
    start: Start, model: Path, tmp_path: Path
) -> None:
    server = start(model, TMPDIR=str(tmp_path))
    [worker] = server.workers
    [current] = next(tmp_path.glob("embedkit-*")).rglob("current")
    (current.parent / "other").symlink_to("no-number")
    (current.parent / "other").replace(current)
    server.wait_for(r"This worker is shutting down: ValueError\(.*no-number")
    wait_until_gone([worker])


@pytest.mark.parametrize(("folder", "given"), [(".", "."), ("below", "..")])
def test_a_relative_model_path_gives_the_name_of_its_directory(
    start: Start, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *,
    folder: str, given: str,
) -> None:  # fmt: skip
    shutil.copytree(model, tmp_path / "mine.embedkit")
    (tmp_path / "mine.embedkit" / "below").mkdir()
    monkeypatch.chdir(tmp_path / "mine.embedkit" / folder)
    server = start(Path(given))
    assert httpx.get(f"{server.url}/v1/model").json()["name"] == "mine"


def test_examples_are_valid_requests(start: Start, tmp_path: Path) -> None:
    words = ["x" * 201, "y" * 200, "z" * 300, "word"]
    WordVectors(Vocabulary(words), np.eye(4, dtype=np.float32)).save(tmp_path / "model.embedkit")
    server = start(tmp_path / "model.embedkit")
    examples = httpx.get(f"{server.url}/v1/model").json()["examples"]
    assert examples == ["y" * 200, "word"]
    for word in examples:
        answer = httpx.post(f"{server.url}/v1/neighbors", json={"word": word, "k": 1})
        assert answer.status_code == 200


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_workers_survive_a_full_disk(
    start: Start, model: Path, tmp_path: Path, workers: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        server = start(model, "--workers", workers, TMPDIR=str(disk))
        server.wait_for("startup complete", count=workers)
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        first = server.workers
        client = new_connections(server)
        for _ in range(20):
            for path in ("/v1/model", "/v1/nothing", "/readyz", "/metrics", "/v1/words", "/"):
                assert client.get(path).status_code in (200, 404)
        assert server.workers == first
        # A worker that starts now cannot share its metrics, but answers requests.
        os.kill(first[0], signal.SIGKILL)
        server.wait_for("startup complete", count=workers + 1)
        assert server.wait_for("metrics of this worker are not shared") if workers > 1 else True
        for _ in range(20):
            assert client.get("/metrics").status_code == 200
        client.close()
        assert server.stop() == 0
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
