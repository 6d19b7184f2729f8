"""A recording replayed into the Live page: the whole path, from a file to what a person sees."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(os.environ.get("STREAMLENS_RECORDED_DIR", ROOT.parent / "shared" / "data"))

BEGIN_MS = 1_568_505_600_000
"""2019-09-15T00:00:00Z, when the capture begins."""

pytestmark = pytest.mark.browser


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TWITCH_", "S3_", "SANDBOX"))}
    return {**clean, "DATA_DIR": str(tmp_path / "data"), "PORT": str(free_port()), "SANDBOX": "false"}


@pytest.fixture
def address(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The real web server, on an empty data folder."""
    process = subprocess.Popen([sys.executable, str(ROOT / "app.py"), "web"], env=environment, cwd=tmp_path)
    url = f"http://127.0.0.1:{environment['PORT']}"
    limit = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
            break
        except urllib.error.URLError:
            assert time.monotonic() < limit, "the web server did not start"
            assert process.poll() is None, "the web server ended"
            time.sleep(0.2)
    yield url
    process.terminate()
    assert process.wait(20) in (0, -15)


def start_import(environment: dict[str, str], folder: Path, file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "app.py"), "import", str(file), "--speed", "10", "--json"]
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL)


# The line's points stand at even distances: where it begins, how far apart they are, how many.
CHART_END = """() => {
  const plot = document.querySelector("#live-chart .js-plotly-plot");
  const line = plot && plot.data[0];
  return line && line.y.length ? new Date(line.x0).getTime() + line.dx * (line.y.length - 1) : 0;
}"""


def test_a_capture_at_ten_times_its_speed_moves_on_the_page(
    address: str,
    environment: dict[str, str],
    tmp_path: Path,
    chromium: Any,
    shoot: Callable[..., None],
) -> None:
    capture = RECORDED / "irc" / "xqcow_2019-09-15_raw5000.irc.txt"
    if not capture.exists():
        pytest.skip(f"no recordings at {RECORDED}: set STREAMLENS_RECORDED_DIR")
    # Waiting for a condition evaluates text in the page, which its own policy forbids.
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="dark", bypass_csp=True
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    importing = start_import(environment, tmp_path, capture)
    try:
        page.goto(f"{address}/live/xqcow")
        page.wait_for_selector("#live-tile-velocity .tile-value", timeout=30_000)
        page.wait_for_function(f"() => ({CHART_END})() > 0", timeout=60_000)
        page.wait_for_timeout(3_000)
        first = page.evaluate(CHART_END)
        page.wait_for_function(f"(first) => ({CHART_END})() > first", arg=first, timeout=60_000)
        page.wait_for_timeout(4_000)
        later = page.evaluate(CHART_END)
        velocity = page.locator("#live-tile-velocity .tile-value").inner_text()
        shoot(page, "replay-desktop-dark")
    finally:
        importing.terminate()
        importing.wait(20)
        context.close()
    assert BEGIN_MS <= first < later <= BEGIN_MS + 464_000
    # 4,933 messages in 463 s are 639 a minute.
    assert 200 <= float("".join(c for c in velocity if c.isdigit())) <= 1500
    assert errors == []
