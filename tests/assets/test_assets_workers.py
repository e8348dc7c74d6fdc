"""Worker processes end with the work they were made for, and with the process that made them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from assets import workers

# Two workers: one says who it is and goes on and on, the other fails where it is told to.
MAKER = """
import os, signal, sys, time
from assets.workers import spread
signal.signal(signal.SIGTERM, getattr(signal, sys.argv[2]))  # else as it is where the tests were started
if __name__ == "__main__":
    from test_assets_workers import part
    try:
        for _ in spread(part, [("",), (sys.argv[1],)], 2):
            pass
    except ValueError:
        print("failed", flush=True)
"""


def part(fails_at: str) -> None:
    os.write(1, f"{os.getpid()}\n".encode())
    while not (fails_at and Path(fails_at).exists()):
        time.sleep(0.1)
    raise ValueError


def made(fails_at: Path, on_sigterm: str = "SIG_DFL") -> tuple[subprocess.Popen[str], list[int]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    command = [sys.executable, "-c", MAKER, str(fails_at), on_sigterm]
    maker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert maker.stdout is not None
    return maker, [int(maker.stdout.readline()) for _ in range(2)]


def lives(process: int) -> bool:
    """Who has ended and was not buried yet does not."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_the_end_of(processes: list[int]) -> None:
    """Who is killed lets go of its output a moment before it is gone."""
    give_up = time.monotonic() + 300
    while any(lives(process) for process in processes):
        assert time.monotonic() < give_up
        time.sleep(0.1)


@pytest.mark.parametrize("on_sigterm", ["SIG_DFL", "SIG_IGN"])
def test_who_fails_does_not_wait_for_the_others(on_sigterm: str, tmp_path: Path) -> None:
    maker, processes = made(tmp_path / "fails", on_sigterm)
    (tmp_path / "fails").touch()
    told, _ = maker.communicate(timeout=300)
    assert told == "failed\n"
    assert maker.returncode == 0
    wait_for_the_end_of(processes)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_workers_of_a_killed_process_end_with_it(sign: signal.Signals, tmp_path: Path) -> None:
    maker, processes = made(tmp_path / "never")
    maker.send_signal(sign)
    maker.communicate(timeout=300)  # until nobody holds its output any more
    wait_for_the_end_of(processes)


def test_one_process_does_small_work_itself() -> None:
    assert list(workers.spread(os.getpid, [()], 2)) == [os.getpid()]


NO_ROOM = """
import resource, threading
from pathlib import Path
from anonymization.leaks.guard import no_values
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (1 << 20), held + (1 << 20)))
try:
    with no_values("a stage"):
        {}
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="how much a process holds is told by Linux only")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("threading.Thread(target=print).start()", "no place for one more thread (a stage): free some and run again"),
        ("bytearray(1 << 30)", "not enough memory (a stage): free some, or run again with fewer workers"),
    ],
)
def test_a_stage_without_memory_says_so_in_one_line(asked: str, told: str) -> None:
    """Bounded by the kernel; a thread that could not be started was told as a fault to be reported."""
    done = subprocess.run([sys.executable, "-c", NO_ROOM.format(asked)], capture_output=True, text=True, check=True)
    (line,) = (done.stdout + done.stderr).splitlines()
    assert line.startswith("Unavailable ")
    assert line.endswith(told)
