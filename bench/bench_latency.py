"""How old a message is when the Live page shows it, in a real browser, with a flood coming in.

Everything runs as for a user: sandbox, collector, worker and web server as processes, one Chromium
on the page. While a channel gets a thousand messages a second, cheers with a mark in their name are
slipped into it; the page's activity feed shows each one, and a MutationObserver notes when.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

QUICK = {"sample_count": 15}

_ROOT = Path(__file__).resolve().parent.parent
_CHANNEL = "mothlight"
_OBSERVER = """
() => {
  window.seen = {};
  const look = () => {
    for (const li of document.querySelectorAll("#live-feed li")) {
      const found = /lat[0-9]{4}x/.exec(li.textContent);
      if (found && !(found[0] in window.seen)) window.seen[found[0]] = Date.now();
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""


def run(*, messages_per_s: int = 1000, sample_count: int = 80) -> dict[str, Any]:
    """Measures the age of messages at the moment they are seen.

    Args:
        messages_per_s: The flood.
        sample_count: Marked messages.

    Returns:
        Percentiles in ms, what was lost, and the flood as the collector measured it.
    """
    from playwright.sync_api import sync_playwright

    web, sandbox = _free_port(), _free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TWITCH_")},
            "DATA_DIR": folder,
            "PORT": str(web),
            "SANDBOX_PORT": str(sandbox),
            "SANDBOX": "true",
            "LOG_LEVEL": "WARNING",
        }
        process = subprocess.Popen([sys.executable, str(_ROOT / "app.py")], env=environment, cwd=folder)
        try:
            _wait_until_up(f"http://127.0.0.1:{web}/healthz")
            _post(sandbox, "boost", {"channel": _CHANNEL, "messages_per_s": messages_per_s})
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium",
                    args=["--no-sandbox", "--disable-background-networking", "--no-first-run"],
                )
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(f"http://127.0.0.1:{web}/live/{_CHANNEL}")
                page.wait_for_selector("#live-feed li")
                page.wait_for_timeout(10_000)
                page.evaluate(_OBSERVER)
                sent = _send_marks(page, sandbox, sample_count)
                page.wait_for_timeout(5_000)
                seen = page.evaluate("() => window.seen")
                browser.close()
            status = _status(Path(folder))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    ages_ms = sorted(seen[mark] - at for mark, at in sent.items() if mark in seen)
    return {
        "messages_per_s": status["messages_per_s"],
        "sample_count": len(sent),
        "never_seen_count": len(sent) - len(ages_ms),
        "p50_ms": round(statistics.median(ages_ms)),
        "p95_ms": ages_ms[int(0.95 * (len(ages_ms) - 1))],
        "max_ms": ages_ms[-1],
        "collector_lag_p95_ms": status["lag_p95_ms"],
        "dropped_count": status["drop_count"],
    }


def main() -> None:
    """Prints the measurement as JSON."""
    print(json.dumps(run(), indent=1))


def _send_marks(page: Any, sandbox: int, count: int) -> dict[str, int]:
    sent = {}
    for index in range(count):
        mark = f"lat{index:04d}x"
        # Irregular, so that the marks do not march in step with the page's clock.
        page.wait_for_timeout(500 + random.random() * 500)
        sent[mark] = time.time_ns() // 1_000_000
        line = (
            f"@badges=;bits=100;color=;display-name={mark};emotes=;id={mark};mod=0;room-id=101697903;"
            f"subscriber=0;tmi-sent-ts={sent[mark]};turbo=0;user-id=9{index:06d};user-type= "
            f":{mark}!{mark}@{mark}.tmi.twitch.tv PRIVMSG #{_CHANNEL} :Cheer100"
        )
        _post(sandbox, "faults", {"lines": [line]})
    return sent


def _status(data_dir: Path) -> dict[str, Any]:
    from dashboard.storage.state import State

    state = State(data_dir)
    status = state.read_status("collector")
    state.close()
    return status.payload if status else {}


def _post(port: int, path: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/_sandbox/{path}", data=json.dumps(body).encode(), method="POST"
    )
    urllib.request.urlopen(request, timeout=10).close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(url: str, timeout_s: float = 60) -> None:
    limit = time.monotonic() + timeout_s
    while True:
        try:
            answer = json.load(urllib.request.urlopen(url, timeout=2))
            if answer["collector"]["is_alive"]:
                return
        except OSError:
            pass
        if time.monotonic() > limit:
            raise TimeoutError(f"{url} did not answer")
        time.sleep(0.3)


if __name__ == "__main__":
    main()
