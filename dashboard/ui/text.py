"""Numbers, times and comparisons as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard.events import Instant
from dashboard.insights.live_model import Reading

Trend = Literal["up", "down", "flat", "missing"]

NOTABLE_RATIO = 1.15
"""Within 15 % of the usual value a reading is called usual."""

UNITS = {"velocity": "msg/min", "retention": "%"}


def zone(name: str | None) -> ZoneInfo:
    """The time zone of that name; UTC when there is none of that name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def local(at: Instant, tz: ZoneInfo) -> datetime:
    """The instant on the viewer's own clock."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(tz)


def clock(at: Instant, tz: ZoneInfo, *, seconds: bool = False) -> str:
    """Time of day, as in ``14:02``."""
    return local(at, tz).strftime("%H:%M:%S" if seconds else "%H:%M")


def day_clock(at: Instant, tz: ZoneInfo, *, now: Instant) -> str:
    """Time of day, with the date when that is not today."""
    moment, today = local(at, tz), local(now, tz)
    if moment.date() == today.date():
        return moment.strftime("%H:%M")
    return f"{moment.day} {moment:%b} {moment.year}, {moment:%H:%M}"


def span(seconds: float) -> str:
    """A length of time in one or two units: ``28 s``, ``5 min``, ``2 h 14 min``."""
    whole = round(seconds)
    if whole < 60 or (whole < 120 and whole % 60):
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60 or (minutes < 120 and minutes % 60 == 0):
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def count(value: float) -> str:
    """A number with its thousands parted: ``1,412``; below ten one decimal where it has one."""
    if abs(value) < 10 and not float(value).is_integer():
        return f"{value:.1f}"
    return f"{value:,.0f}"


def reading_value(reading: Reading) -> tuple[str, str]:
    """What stands big in a tile, and its unit.

    Args:
        reading: The reading; ``None`` values give a dash.

    Returns:
        Number and unit, as ``("187", "msg/min")``.
    """
    if reading.text is not None:
        return reading.text, ""
    if reading.value is None:
        return "–", ""
    if reading.metric == "uptime":
        hours, minutes = divmod(int(reading.value) // 60, 60)
        return f"{hours}:{minutes:02d}", "h"
    if reading.metric == "engagement":
        return f"{reading.value:.2f}", ""
    if reading.metric == "retention":
        return f"{reading.value * 100:.0f}", "%"
    if reading.metric == "unique_chatters" and reading.window_s:
        return count(reading.value), span(reading.window_s)
    return count(reading.value), UNITS.get(reading.metric, "")


def comparison(reading: Reading) -> tuple[Trend, str]:
    """The reading against the stream's own usual, in words.

    Args:
        reading: The reading; without a usual value its reason stands instead.

    Returns:
        Trend and words, as ``("up", "▲ 3.0× usual")``.
    """
    if reading.metric == "game" and reading.value is not None:
        return "flat", f"for {span(reading.value * 60)}"
    if reading.value is None or reading.usual is None:
        return "missing", reading.missing or ""
    if reading.metric == "retention" and reading.note_points is not None:
        return _points_since_raid(round(reading.note_points))
    if reading.metric == "retention":
        return _points(round((reading.value - reading.usual) * 100), round(reading.usual * 100))
    if reading.usual <= 0:
        return ("flat", "≈ usual (0)") if reading.value <= 0 else ("up", "▲ usual is 0")
    ratio = reading.value / reading.usual
    if 1 / NOTABLE_RATIO <= ratio <= NOTABLE_RATIO:
        return "flat", f"≈ usual ({bare(reading, reading.usual)})"
    if ratio >= 2:
        return "up", f"▲ {ratio:.1f}× usual"
    percent = f"{abs(ratio - 1) * 100:.0f} %"
    return ("up", f"▲ {percent} over usual") if ratio > 1 else ("down", f"▼ {percent} under usual")


def _points(points: int, usual: int) -> tuple[Trend, str]:
    if abs(points) < 3:
        return "flat", f"≈ usual ({usual} %)"
    return ("up", f"▲ {points} pts over usual") if points > 0 else ("down", f"▼ {-points} pts under usual")


def _points_since_raid(points: int) -> tuple[Trend, str]:
    if abs(points) < 1:
        return "flat", "≈ as at the raid"
    unit = "pt" if abs(points) == 1 else "pts"
    if points > 0:
        return "up", f"▲ {points} {unit} since the raid"
    return "down", f"▼ {-points} {unit} since the raid"


def bare(reading: Reading, value: float) -> str:
    """A value in the reading's own form, without its unit (percent keeps its sign)."""
    if reading.metric == "engagement":
        return f"{value:.2f}"
    return f"{value * 100:.0f} %" if reading.metric == "retention" else count(value)


def sample(reading: Reading) -> str:
    """Window and sample size of a reading: what makes it honest.

    Args:
        reading: The reading.

    Returns:
        Sentences for the tooltip, possibly none.
    """
    parts = []
    if reading.window_s:
        parts.append(f"Window: the last {span(reading.window_s)}.")
    if reading.sample_count:
        parts.append(f"Sample: {reading.sample_count:,}.")
    if reading.note and reading.note_points is None:
        parts.append(f"{reading.note[0].upper()}{reading.note[1:]}.")
    if reading.usual is not None and reading.usual_sample_count:
        low, high = reading.usual_low, reading.usual_high
        between = (
            f", mostly {bare(reading, low)} to {bare(reading, high)}"
            if low is not None and high is not None
            else ""
        )
        parts.append(
            f"Usual: {bare(reading, reading.usual)}{between}, "
            f"from {reading.usual_sample_count:,} earlier minutes of this stream."
        )
    return " ".join(parts)


def room_in_address(channel: str | None) -> str:
    """The login in a page's address: any case, and with what browsers write as ``%20``."""
    return unquote(channel or "").strip().lower()
