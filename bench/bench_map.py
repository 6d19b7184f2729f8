"""How fast the community map is in a browser without a graphics card.

A real Chromium (software rendering) opens the Community page of a real server; behind it stand invented
runs. Measured are the time from the click to the first picture, with everything that the page loads, and
frames per second while the camera moves and zooms, as the browser itself paces its frames.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.map_runs import map_run

QUICK: dict[str, Any] = {"sizes": ((2_000, 10_000),), "rounds": 1, "frame_count": 60}
CHROMIUM = "/usr/bin/chromium"
_SIZES = ((2_000, 10_000), (10_000, 20_000))
_VIEW = {"width": 1440, "height": 900}

# Each frame moves the camera as a hand would; what lies between two frames is what a person sees.
_FRAMES = """async ({kind, count}) => {
  const map = StreamLensMap.page, start = map.view(), gaps = [];
  await new Promise((done) => {
    let frame = 0, last = performance.now();
    function step() {
      const now = performance.now();
      gaps.push(now - last);
      last = now;
      const t = frame / 14, reach = 260 / start.k;
      map.setView(kind === "pan"
        ? {x: start.x + reach * Math.sin(t), y: start.y + reach * 0.6 * Math.sin(1.7 * t), k: start.k}
        : {x: start.x, y: start.y, k: start.k * Math.exp(1.1 * (1 - Math.cos(t)) / 2)});
      if (++frame < count) requestAnimationFrame(step); else done();
    }
    requestAnimationFrame(step);
  });
  map.setView(start);
  return gaps.slice(1);
}"""


@dataclass
class _Nothing:
    """Stands for names, orders and the jobs' record: nobody renames or orders here."""

    def names(self) -> dict[str, str]:
        return {}

    def last(self, name: str) -> None:
        return None


@dataclass
class _Line:
    run_id: str
    created_at: Any
    preset: str
    n_channels: int
    n_communities: int


class _OneRun:
    """The storage of a single invented run."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._run = map_run(*size, n_communities=40)

    def watermark(self) -> int:
        return 1

    def listed(self) -> list[_Line]:
        run = self._run
        return [_Line(run.run_id, run.created_at, "default", len(run.nodes), len(run.communities))]

    def load(self, run_id: str) -> Any:
        return self._run if run_id == self._run.run_id else None

    def past_of(self, channel_id: str, *, names: Any = None) -> list[Any]:
        return []


def run(
    sizes: tuple[tuple[int, int], ...] = _SIZES, *, rounds: int = 3, frame_count: int = 150
) -> dict[str, Any]:
    """Measures every size.

    Args:
        sizes: Channels and drawn edges.
        rounds: Fresh browsers for the first picture.
        frame_count: Frames of each movement.

    Returns:
        Of each size the first picture in milliseconds, frames per second while panning and zooming
        (median, and of the slowest twentieth), and how long drawing itself takes.
    """
    return {
        f"{nodes}_nodes_{edges}_edges": _measured((nodes, edges), rounds, frame_count)
        for nodes, edges in sizes
    }


def _measured(size: tuple[int, int], rounds: int, frame_count: int) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright
    from waitress.server import create_server

    with tempfile.TemporaryDirectory(prefix="streamlens-bench-") as folder:
        server = create_server(_site(size, Path(folder)), host="127.0.0.1", port=0, threads=8)
        threading.Thread(target=server.run, daemon=True).start()
        address = f"http://127.0.0.1:{server.effective_port}/community"
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                pages = [_opened(browser, address) for _ in range(rounds)]
                result = _figures(pages, frame_count)
                browser.close()
                return result
        finally:
            server.close()


def _site(size: tuple[int, int], folder: Path) -> Any:
    from app import create_dash_app, create_services
    from dashboard.config import Settings
    from dashboard.insights.community import CommunityInsights

    settings = Settings(_env_file=None, data_dir=folder, sandbox=True)
    nothing: Any = _Nothing()
    community = CommunityInsights(_OneRun(size), nothing, lambda run: None, nothing, nothing)
    return create_dash_app(settings, replace(create_services(settings), community=community)).server


def _opened(browser: Any, address: str) -> tuple[Any, float]:
    # Scripts are put into the page to measure; the page's own policy has tests of its own.
    page = browser.new_context(viewport=_VIEW, bypass_csp=True).new_page()
    page.goto(address)
    page.wait_for_selector("#community-map[data-drawn]", timeout=120_000)
    first_ms = page.evaluate("StreamLensMap.page.stats().first_at")
    page.wait_for_selector("#community-map[data-still]", timeout=120_000)
    return page, float(first_ms)


def _figures(pages: list[tuple[Any, float]], frame_count: int) -> dict[str, Any]:
    for page, _ in pages[:-1]:
        page.context.close()
    page, figures = pages[-1][0], {}
    for kind in ("pan", "zoom"):
        gaps = page.evaluate(_FRAMES, {"kind": kind, "count": frame_count})
        figures[f"{kind}_fps_median"] = round(1000 / statistics.median(gaps), 1)
        figures[f"{kind}_fps_slowest_5_percent"] = round(1000 / statistics.quantiles(gaps, n=20)[-1], 1)
    drawn = page.evaluate("StreamLensMap.page.stats()")
    return {
        "first_picture_ms": [round(first_ms) for _, first_ms in pages],
        "first_picture_ms_median": round(statistics.median(first_ms for _, first_ms in pages)),
        **figures,
        "draw_ms_median": round(statistics.median(drawn["frame_ms"]), 1),
        "nodes": drawn["n"],
        "edges_drawn": drawn["m"],
        "view": f"{_VIEW['width']} x {_VIEW['height']}",
    }


def main() -> None:
    """Prints the measurement as JSON."""
    print(json.dumps(run(), indent=1))


if __name__ == "__main__":
    main()
