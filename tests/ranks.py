"""Processes that work together: real ones, started by torchrun, connected by gloo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EMBEDKIT = Path(__file__).parents[1] / "embedkit" / "__main__.py"
LAUNCHER = """
import multiprocessing, os, runpy, socket, sys
from multiprocessing.connection import wait
import numba, torch.distributed
import embedkit.corpus.corpus, embedkit.training.averaging

def run(rank):
    os.environ["RANK"] = str(rank)
    runpy.run_path(sys.argv[0], run_name="__main__")

size = int(sys.argv.pop(1))
del sys.argv[0]
with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
os.environ.update(WORLD_SIZE=str(size), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
ranks = [multiprocessing.get_context("fork").Process(target=run, args=(n,)) for n in range(size)]
for rank in ranks:
    rank.start()
running = {rank.sentinel: rank for rank in ranks}
while running and not any(rank.exitcode for rank in ranks):
    for sentinel in wait([*running]):
        running.pop(sentinel).join()
for rank in running.values():
    rank.terminate()
sys.exit(any(rank.exitcode for rank in ranks))
"""
"""Starts ranks with the variables of torchrun, but imports torch once for all of them."""


def torchrun(ranks: int, *arguments: object) -> list[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    return [sys.executable, *launcher, *map(str, arguments)]


def launched(ranks: int, script: Path, *arguments: object) -> list[str]:
    """Return a command that runs a script in several ranks, in a third of the time of torchrun."""
    return [sys.executable, "-c", LAUNCHER, str(ranks), str(script), *map(str, arguments)]


def together(script: str, ranks: int, folder: Path, *arguments: object) -> list[dict[str, object]]:
    """Run a script in several ranks; return what each wrote to its file."""
    path = folder / "script.py"
    path.write_text(
        "import json, sys\nfrom pathlib import Path\nfrom embedkit.system.ranks import join\n"
        "ranks = join()\n"
        "def tell(**facts):\n"
        "    Path(sys.argv[1], f'{ranks.rank}.json').write_text(json.dumps(facts))\n"
        f"{script}\nranks.leave()\n"
    )
    command = launched(ranks, path, folder, *arguments)
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(ranks)]
