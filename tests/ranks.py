"""Processes that work together: real ones, started by torchrun, connected by gloo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def torchrun(ranks: int, *arguments: object) -> list[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    return [sys.executable, *launcher, *map(str, arguments)]


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
    command = torchrun(ranks, path, folder, *arguments)
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(ranks)]
