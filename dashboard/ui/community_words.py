"""The Community page's sentences: each says what was counted, in what time, and what it is not."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dashboard.analytics.communities.inputs import UNKNOWN, QualityReport
from dashboard.analytics.communities.model import MapStatistics
from dashboard.events import Instant
from dashboard.ui import text

MEASURES = [("Shared", "shared"), ("Jaccard", "jaccard"), ("Containment", "containment"), ("Lift", "lift")]
MEASURE_WORDS = {
    "shared": "chatters seen at both",
    "jaccard": "shared chatters ÷ chatters of either",
    "containment": "share of the smaller one's chatters seen at both",
    "lift": "shared chatters ÷ what chance gives",
}
LEFT_OUT = {
    "services": "known service accounts",
    "lurkers": "accounts in implausibly many channels at once",
    "lurkers by rule": "accounts in implausibly many channels at once",
    "young": "young accounts",
    "young accounts": "young accounts",
    "small channels": "channels with too few chatters",
    "one-off": "people seen once only",
}
FATES = {"new": "", "kept": "", "born": "new", "split": "split off", "merged": "merged"}


def number(value: float, digits: int = 2) -> str:
    """A figure, or a dash where it is unknown."""
    return "–" if value != value else f"{value:.{digits}f}"


def percent(value: float, digits: int = 0) -> str:
    """A share, or a dash where it is unknown."""
    return "–" if value != value else f"{value * 100:.{digits}f} %"


def whole(value: float) -> str:
    """A count, or a dash where it is unknown."""
    return "–" if value != value or value == UNKNOWN else text.count(value)


def day(at: Instant, tz: ZoneInfo) -> str:
    """A date, as in ``27 Nov 2026``."""
    moment = text.local(at, tz)
    return f"{moment.day} {moment:%b} {moment.year}"


def day_and_clock(at: Instant, tz: ZoneInfo) -> str:
    """A date with its time."""
    return f"{day(at, tz)}, {text.clock(at, tz)}"


def period(report: QualityReport, tz: ZoneInfo) -> str:
    """When was looked, as in ``26 Nov to 27 Nov 2026``; empty when unknown."""
    if not report.until_at:
        return ""
    first, last = day(Instant(report.from_at or report.until_at), tz), day(Instant(report.until_at), tz)
    return f"on {last}" if first == last else f"from {first} to {last}"


def statement(report: QualityReport, tz: ZoneInfo) -> str:
    """The plain statement under the title: who was counted, for how long, and who was not."""
    hours = report.observed_hours
    seen = f"{whole(report.n_chatters)} people" if report.has_chatters else "people"
    when = period(report, tz)
    tail = f" {when}" if when else ""
    if report.seen_as == "imported":
        size = whole(report.n_channels)
        return f"From an imported table of {size} channels{tail}; whom it counts it does not say."
    what = "who wrote in chat" if report.seen_as == "speakers" else "connected to chat"
    never = "not viewers" if report.seen_as == "speakers" else "whether they watch is unknown"
    if hours != hours or not hours:
        return f"{seen} {what} in {whole(report.n_channels)} channels{tail}: {never}."
    long = "1 observed hour" if round(hours) == 1 else f"{whole(hours)} observed hours"
    if hours < 1:
        long = f"{whole(hours * 60)} observed minutes"
    return f"{seen} {what} in {long} of {whole(report.n_channels)} channels{tail}: {never}."


def agreement(statistics: MapStatistics) -> str:
    """How well the two algorithms agree, in words."""
    value = statistics.agreement
    if value != value:
        return "nothing to compare"
    if value >= 0.9:
        return "nearly the same communities"
    if value >= 0.7:
        return "mostly the same communities"
    return "other communities in good part" if value >= 0.4 else "quite other communities"


def modularity(value: float) -> str:
    """What a modularity says, in words."""
    if value != value:
        return "unknown"
    if value >= 0.6:
        return "communities far apart"
    return "communities told apart" if value >= 0.3 else "hardly any communities"
