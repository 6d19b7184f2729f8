"""The supervisor with small stand-ins for its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CHILD = """\
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from dashboard.supervisor import end_with_parent
name, folder = sys.argv[1], Path({folder!r})
end_with_parent()
def stop(number, frame):
    (folder / (name + ".stopped")).touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with (folder / (name + ".pids")).open("a") as file:
    file.write(str(os.getpid()) + "\\n")
if name == "hopeless":
    sys.exit(78)
while True:
    time.sleep(0.05)
"""

SUPERVISOR = """\
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from dashboard.supervisor import Child, Supervisor
sys.exit(Supervisor(Path({child!r}), [Child(name, [name]) for name in sys.argv[1:]]).run())
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    child, supervisor = tmp_path / "child.py", tmp_path / "supervisor.py"
    child.write_text(CHILD.format(root=str(ROOT), folder=str(tmp_path)))
    supervisor.write_text(SUPERVISOR.format(root=str(ROOT), child=str(child)))
    return lambda *names: subprocess.Popen([sys.executable, str(supervisor), *names], cwd=tmp_path)


def pids(folder: Path, name: str) -> list[int]:
    path = folder / f"{name}.pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def wait_for(condition: Callable[[], object], timeout_s: float = 60) -> None:
    limit = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_child_starts_again_and_the_others_go_on(tmp_path: Path, start: Callable) -> None:
    process = start("one", "two")
    wait_for(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    os.kill(pids(tmp_path, "one")[0], signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path, "one")) == 2)
    process.terminate()
    assert process.wait(20) == 0
    assert len(pids(tmp_path, "two")) == 1
    assert (tmp_path / "one.stopped").exists()
    assert (tmp_path / "two.stopped").exists()


def test_ctrl_c_stops_all_cleanly(tmp_path: Path, start: Callable) -> None:
    process = start("one")
    wait_for(lambda: pids(tmp_path, "one"))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert (tmp_path / "one.stopped").exists()


def test_a_hopeless_child_stops_all_with_its_code(tmp_path: Path, start: Callable) -> None:
    process = start("one", "hopeless")
    assert process.wait(20) == 78
    assert len(pids(tmp_path, "hopeless")) == 1
    assert not any(is_running(pid) for pid in pids(tmp_path, "one"))


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc to see that a process is gone")
def test_children_end_when_their_supervisor_is_killed(tmp_path: Path, start: Callable) -> None:
    process = start("one")
    wait_for(lambda: pids(tmp_path, "one"))
    process.kill()
    process.wait(20)
    wait_for(lambda: not is_running(pids(tmp_path, "one")[0]))
