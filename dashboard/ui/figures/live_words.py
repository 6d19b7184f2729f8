"""The Live page's chart in words."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from dashboard.insights.live_model import LiveSeries, Marker
from dashboard.ui import text


def live_summary(series: LiveSeries, tz: ZoneInfo) -> str:
    """The chart in sentences, for those who can't see it.

    Args:
        series: What is drawn.
        tz: The viewer's time zone.

    Returns:
        Range, peak, present value, gaps and happenings.
    """
    start, end = text.clock(series.start_at, tz), text.clock(series.end_at, tz)
    seen = [
        (value, at) for value, at in zip(series.velocity, series.bin_at, strict=True) if value is not None
    ]
    if not seen:
        return f"From {start} to {end} nothing was observed."
    peak, peak_at = max(seen)
    parts = [
        f"From {start} to {end}.",
        f"Chat peaked at {peak:,.0f} messages per minute at {text.clock(peak_at, tz)}.",
    ]
    if series.usual_low is not None and series.usual_high is not None:
        parts.append(f"Usual is {series.usual_low:,.0f} to {series.usual_high:,.0f}.")
    if series.viewers:
        parts.append(f"Viewers went from {series.viewers[0]:,} to {series.viewers[-1]:,}.")
    parts.append(_counted(series.markers))
    gone_s = sum((gap.ended_at or series.end_at) - gap.started_at for gap in series.gaps) / 1_000_000
    if series.gaps:
        parts.append(f"{text.span(gone_s)} were not observed.")
    return " ".join(part for part in parts if part)


def _counted(markers: Sequence[Marker]) -> str:
    labels = [f"{marker.label}" for marker in markers if marker.category == "raid"]
    return f"Raids: {', '.join(labels)}." if labels else ""
