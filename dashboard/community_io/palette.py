"""The colours of the map, as the pages have them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from dashboard.analytics.communities.model import COLOURS

ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"
_TOKEN: Final = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-fA-F]{6})")
_WITHOUT: Final = {
    "bg": "#0f0f15",
    "surface": "#17171f",
    "text": "#ececf3",
    "muted": "#a3a3b6",
    "edge": "#6f6f85",
}
_HUES: Final = ("#a78bfa", "#43d397", "#f7ad09", "#55d7ff", "#f96a48", "#dd76a4", "#a7f4ec", "#b8591d")


@cache
def colours(theme: str = "dark") -> dict[str, str]:
    """The tokens of a theme by name (``bg``, ``text``, …), from the pages' style sheet.

    Args:
        theme: ``dark`` or ``light``.
    """
    found = dict(_WITHOUT)
    sheet = ASSETS / "10-tokens.css"
    if sheet.is_file():
        text = sheet.read_text(encoding="utf-8")
        start = text.find(f"[data-theme={theme}]")
        if start >= 0:
            found |= dict(_TOKEN.findall(text[start : text.find("}", start)]))
    return found


def hue(index: int, theme: str = "dark") -> str:
    """The colour of a community by its colour index; of isolates below 0."""
    told = colours(theme)
    if index < 0:
        return told["edge"]
    return told.get(f"map-{index % COLOURS}", _HUES[index % len(_HUES)])


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
