"""Numbers as people and spreadsheets write them."""

from __future__ import annotations

import math
import re

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+")
_NOISE = re.compile(r"[\s\u00a0\u202f_'%]")


_MOST = 1e15
"""Nobody counts that far: such a number is an id, or a mistake."""


def parse_number(text: object) -> float | None:
    """A number from a cell: ``12``, ``1,234``, ``0.5``, ``0,5``, ``12 %``; None for what is none.

    Caveats:
        ``1,234`` is one thousand and so on, not one and a bit: counts of people are whole.
    """
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int | float):
        return float(text) if math.isfinite(text) else None
    plain = _NOISE.sub("", str(text))
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def parse_count(text: object) -> int:
    """A count from a cell; -1 (unknown) for what is none."""
    value = parse_number(text)
    return -1 if value is None or not 0 <= value < _MOST else round(value)
