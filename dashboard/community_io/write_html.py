"""A map as one HTML file: it opens without StreamLens and asks nothing of anybody."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from dashboard.analytics.communities.model import MapRun, to_map_payload
from dashboard.community_io.palette import ASSETS
from dashboard.community_io.words import figures, label_of, statement, when
from dashboard.errors import ConfigError

_MOUNT = "StreamLensMap.mount = "
_STYLES = ("10-tokens.css", "85-community.css")
_OWN_STYLE = """
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: grid; grid-template-rows: auto minmax(0, 1fr); background: var(--bg); color: var(--text);
  font: var(--fs-m)/1.45 var(--font); }
header { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: baseline; padding: 12px 96px 12px 16px;
  position: relative; }
header h1 { font-size: var(--fs-l); margin: 0; }
header p { margin: 0; color: var(--muted); font-size: var(--fs-s); }
header button { position: absolute; top: 8px; right: 12px; min-height: 32px; padding: 4px 12px; font: inherit;
  font-size: var(--fs-s); color: var(--text); background: var(--surface); border: 1px solid var(--edge);
  border-radius: var(--radius-s); cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
main { position: relative; margin: 0 12px 12px; min-height: 320px; }
#map { position: absolute; inset: 0; }
noscript { display: block; padding: 0 16px; }
table { border-collapse: collapse; font-size: var(--fs-s); }
td, th { text-align: left; padding: 2px 16px 2px 0; }
"""
_BOOT = """
(function () {
  "use strict";
  var payload = JSON.parse(document.getElementById("payload").textContent);
  var root = document.documentElement, button = document.getElementById("theme");
  if (window.matchMedia && window.matchMedia("(prefers-color-scheme: light)").matches) {
    root.dataset.theme = "light";
    button.textContent = "Dark";
  }
  var handle = window.StreamLensMap.mount(document.getElementById("map"), payload, { hasCard: true });
  button.addEventListener("click", function () {
    var next = root.dataset.theme === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    button.textContent = next === "dark" ? "Light" : "Dark";
    if (handle && handle.setTheme) handle.setTheme();
  });
  window.streamLensMap = handle;
})();
"""
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def map_html(run: MapRun, *, title: str = "Communities", payload: dict[str, Any] | None = None) -> str:
    """The page with the map's own renderer, the data and the styles in it.

    Args:
        run: The map.
        title: Its headline.
        payload: Instead of what :func:`to_map_payload` gives.

    Returns:
        HTML that needs no network; without scripts it is a table of the channels.

    Raises:
        ConfigError: The renderer's files are not where they belong.
    """
    data = json.dumps(payload or to_map_payload(run), ensure_ascii=False, separators=(",", ":"))
    # Nothing in a name may end the element that it stands in.
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    head = html.escape(title)
    style = "\n".join(_read(ASSETS / name) for name in _STYLES) + _OWN_STYLE
    script = "\n".join(_read(path) for path in renderer_files())
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="dark">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n'
        f"<title>{head}</title>\n<style>{_inside(style)}</style>\n</head>\n<body>\n"
        f"<header><h1>{head}</h1><p>{html.escape(when(run))} · {html.escape(figures(run))}</p>"
        f"<p>{html.escape(statement(run))}</p>"
        '<button id="theme" type="button">Light</button></header>\n'
        f'<main><div id="map"></div></main>\n<noscript>{_table(run)}</noscript>\n'
        f'<script type="application/json" id="payload">{data}</script>\n'
        f"<script>{_inside(script)}</script>\n<script>{_BOOT}</script>\n</body>\n</html>\n"
    )


def renderer_files() -> list[Path]:
    """The renderer's scripts in the order they are loaded, up to the one that offers ``mount``.

    Raises:
        ConfigError: They are not there.
    """
    found = []
    for path in sorted(ASSETS.glob("85-community-*.js")):
        found.append(path)
        if _MOUNT in _read(path):
            return found
    raise ConfigError(
        f"{ASSETS}: the map's renderer (85-community-*.js) is not there. Install StreamLens again."
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}). Install StreamLens again.") from None


def _inside(text: str) -> str:
    """Code that can't end the element that it stands in."""
    return text.replace("</", "<\\/") if "</script" in text.lower() or "</style" in text.lower() else text


def _table(run: MapRun) -> str:
    channels = run.nodes.channels
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(label_of(run, place) or '–')}</td></tr>"
        for place, name in enumerate(channels.names)
    )
    return f"<table><tr><th>Channel</th><th>Community</th></tr>{rows}</table>"
