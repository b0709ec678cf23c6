"""Signals as one exception, in real processes: scripts that `run` a command and are interrupted."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedkit.system.interrupts import Interrupted, held

SCRIPTS = Path(__file__).parents[2] / "scripts"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
FOR_LONG = 20
START = f"""
import ctypes, signal, sys, time, weakref
from pathlib import Path
from embedkit.system import interrupts
from embedkit.system.files import atomic_directory, atomic_file

def wait(said):
    print(said, flush=True)
    time.sleep({FOR_LONG})

def command():
"""
END = """
sys.exit(interrupts.run(command))
"""


class Process:
    """A script whose function `command` has the given lines."""

    def __init__(self, lines: str, folder: Path, *, end: str = END) -> None:
        body = "".join(f"    {line}\n" for line in lines.strip().splitlines())
        self._process = subprocess.Popen(
            [sys.executable, "-c", START + body + end], cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def send_after(self, said: str, number: int) -> Process:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == said + "\n"
        self._process.send_signal(number)
        return self

    def ends(self, code: int, said: str = "") -> None:
        """Check the exit code and what is printed; nothing may be printed as an error."""
        output, errors = self._process.communicate(timeout=FOR_LONG / 2)
        assert (self._process.returncode, output, errors) == (code, said, "")


@pytest.mark.parametrize("number", SIGNALS)
def test_each_signal_has_its_exit_code(number: int, tmp_path: Path) -> None:
    Process("wait('ready')", tmp_path).send_after("ready", number).ends(128 + number)


LOST = {
    "a ctypes callback": "ctypes.CFUNCTYPE(None)(lambda: wait('ready'))()",
    "a weakref callback": """
thing = set()
reference = weakref.ref(thing, lambda _: wait('ready'))
del thing
""",
    "a finalizer": """
class Thing:
    def __del__(self):
        wait('ready')
Thing()
""",
    "C code that prints it": """
ctypes.pythonapi.PyRun_SimpleString(
    b"import time; print('ready', flush=True); time.sleep(20)")
""",
    "code that clears it": """
try:
    wait('ready')
except BaseException:
    pass
""",
}


@pytest.mark.parametrize("lines", LOST.values(), ids=LOST)
def test_an_interrupt_that_gets_lost_is_raised_again(lines: str, tmp_path: Path) -> None:
    process = Process(lines + "\nwhile True: time.sleep(0.01)", tmp_path)
    process.send_after("ready", signal.SIGINT).ends(130)


@pytest.mark.parametrize("then", ["pass", "import nothing_of_this_name", "sys.exit(1)"])
def test_it_counts_however_the_command_ends(then: str, tmp_path: Path) -> None:
    process = Process(LOST["code that clears it"] + "\n" + then, tmp_path)
    process.send_after("ready", signal.SIGTERM).ends(143)


def test_other_errors_are_printed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        Process("1 / 0", tmp_path).ends(1)
    lost = LOST["a finalizer"].replace("wait('ready')", "1 / 0")
    with pytest.raises(AssertionError, match="Exception ignored in"):
        Process(lost, tmp_path).ends(0)


def test_a_held_block_is_not_cut(tmp_path: Path) -> None:
    lines = """
with interrupts.held():
    with interrupts.held():
        print('ready', flush=True)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            time.sleep(0.01)
    print('whole', flush=True)
print('not reached')
"""
    Process(lines, tmp_path).send_after("ready", signal.SIGINT).ends(130, "whole\n")


UNWINDING = """
try:
    wait('ready')
finally:
    print('unwinding', flush=True)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        time.sleep(0.01)
    with interrupts.held():
        pass
    print('whole')
"""


def test_a_finally_block_is_not_cut(tmp_path: Path) -> None:
    Process(UNWINDING, tmp_path).send_after("ready", signal.SIGINT).ends(130, "unwinding\nwhole\n")


def test_nor_is_one_of_an_error_that_an_interrupt_was_turned_into(tmp_path: Path) -> None:
    turned = "try: wait('ready')\n    except BaseException: raise ImportError"
    process = Process(UNWINDING.replace("wait('ready')", turned), tmp_path)
    process.send_after("ready", signal.SIGINT).ends(130, "unwinding\nwhole\n")


@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_cuts_nothing(second: int, tmp_path: Path) -> None:
    process = Process(UNWINDING, tmp_path).send_after("ready", signal.SIGTERM)
    process.send_after("unwinding", second).ends(143, "whole\n")


@pytest.mark.parametrize("wait", ["time.sleep(0.01)", "Path('x').write_text('x')"])
def test_ctrl_c_ends_a_command_at_once_if_its_cleanup_takes_too_long(
    wait: str, tmp_path: Path
) -> None:
    lines = f"""
interrupts.PATIENCE = 0.5
with interrupts.held():
    print('ready', flush=True)
    while True:
        {wait}
"""
    body = "".join(f"    {line}\n" for line in lines.strip().splitlines())
    process = subprocess.Popen(
        [sys.executable, "-c", START + body + END], cwd=tmp_path,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        sent = 0
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            sent += 1
            time.sleep(0.05)
    assert process.returncode == -signal.SIGINT
    assert sent > 2


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    lines = """
wait_a_little = lambda: (print('ready', flush=True), time.sleep(0.3))
wait_a_little()
wait('again')
"""
    body = "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    process = Process(lines, tmp_path, end="\n" + body + END)
    process.send_after("ready", signal.SIGHUP).send_after("again", signal.SIGTERM).ends(143)


def test_handlers_end_with_the_command(tmp_path: Path) -> None:
    end = """
code = interrupts.run(command)
assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
print(code, *(signal.getsignal(n).name for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
"""
    Process("pass", tmp_path, end=end).ends(0, "None SIG_DFL SIG_DFL SIG_DFL\n")
    process = Process("wait('ready')", tmp_path, end=end).send_after("ready", signal.SIGINT)
    process.ends(0, "130 SIG_IGN SIG_IGN SIG_IGN\n")


def test_a_late_signal_ends_the_process_without_a_word(tmp_path: Path) -> None:
    end = "\ninterrupts.run(command)\nwait('ready')\n"
    process = Process("pass", tmp_path, end=end)
    process.send_after("ready", signal.SIGINT).ends(-signal.SIGINT)


def test_without_a_command_nothing_changes() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with pytest.raises(KeyboardInterrupt) as caught, held():
        signal.raise_signal(signal.SIGINT)
    assert not isinstance(caught.value, Interrupted)


@pytest.mark.parametrize("context", ["atomic_directory", "atomic_file"])
def test_a_temporary_output_goes_though_its_block_is_not_left(context: str, tmp_path: Path) -> None:
    """As when the signal comes while `contextlib` enters the block."""
    lines = f"""
entered = {context}(Path('output'))
entered.__enter__()
cycle = [entered]
cycle.append(cycle)
wait('ready')
"""
    Process(lines, tmp_path).send_after("ready", signal.SIGINT).ends(130)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("then", ["time.sleep(20)", "raise ImportError('initialization failed')"])
def test_a_signal_while_commands_are_imported(then: str, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(
        "import signal, time\n"
        "try: signal.raise_signal(signal.SIGTERM)\n"
        f"except BaseException: pass\n{then}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "embedkit", "info"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        cwd=tmp_path, timeout=FOR_LONG / 2,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "Interrupted.\n")


def test_a_terminal_that_goes_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "edges.tsv").write_text("a b\nb c\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        line = [sys.executable, "-m", "embedkit", "walks", "edges.tsv", "--walks", "1000000"]
        os.execv(sys.executable, line)
    while not list(tmp_path.glob(".walks.txt.*")):
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        time.sleep(0.01)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 129
    assert [path.name for path in tmp_path.iterdir()] == ["edges.tsv"]


def interrupt_commands(*options: object) -> None:
    line = [sys.executable, SCRIPTS / "interrupt_commands", *map(str, options)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_commands_interrupted_at_a_few_moments() -> None:
    interrupt_commands("--moments", 2, "--commands", "walks", "--seed", os.getpid())


@pytest.mark.slow
def test_commands_interrupted_at_many_moments() -> None:
    interrupt_commands("--moments", 300)
