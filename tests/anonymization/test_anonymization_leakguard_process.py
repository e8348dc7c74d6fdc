"""A guarded process: what nobody caught, logged or warned of says what and where, and never a value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CANARY = "Xochitl Quetzal"
START = "from anonymization.leaks.process import guard_process\nguard_process()\nimport logging, os, sys, warnings\n"
CAUGHT = "try: int(os.environ['C'])\nexcept ValueError:"
WAYS = {
    "nobody caught it": "int(os.environ['C'])",
    "in a thread": "import threading\nthread = threading.Thread(target=lambda: int(os.environ['C']))\nthread.start()",
    "a warning": "warnings.warn(os.environ['C'])",
    "the log of a library": "logging.getLogger('pandas').error('cannot read %s', os.environ['C'])",
    "a handler of later": "logging.basicConfig(level=0)\nlogging.getLogger('x.y').debug(os.environ['C'])",
    "an error in a log of ours": f"{CAUGHT} logging.getLogger('homeward').exception('a row')",
    "an error in Dagster's log": f"{CAUGHT} logging.getLogger('dagster').exception('a step')",
    "in a worker": "import concurrent.futures, multiprocessing\nfrom assets.workers import _pool\n"
    "if __name__ == '__main__': _pool(1).submit(int, os.environ['C']).result()",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("debug", ["", "1"])
def test_nothing_that_a_process_says_holds_a_value(way: str, debug: str, tmp_path: Path) -> None:
    script = tmp_path / "said.py"
    script.write_text(START + WAYS[way], encoding="utf-8")
    environment = os.environ | {"C": CANARY, "PYTHONPATH": os.getcwd(), "HOMEWARD_DEBUG": debug}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert said, "what went wrong is told all the same"
    assert "Quetzal" not in said
    assert "Xochitl" not in said


LIMIT = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
FILTER = "print(int(open('/proc/self/coredump_filter').read(), 16))"


@pytest.mark.parametrize(
    "asked",
    [LIMIT, pytest.param(FILTER, marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it"))],
)
def test_neither_a_guarded_process_nor_its_children_leave_an_image_of_their_memory(asked: str) -> None:
    """The limit is not asked where the machine hands cores to a program; what may be in them is."""
    child = f"import subprocess\nsubprocess.run([sys.executable, '-c', {asked!r}], check=True)"
    done = subprocess.run(
        [sys.executable, "-c", f"{START}{asked}\n{child}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "0"]
