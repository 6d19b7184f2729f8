"""One update of the Chatters page under way: what is asked, what the browser has, what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dashboard.access import Access
from dashboard.errors import AccessDenied
from dashboard.events import Instant
from dashboard.insights.chatters_model import (
    CaptureLine,
    ChattersAnalysis,
    RoomChoice,
    Selection,
    SessionLine,
)
from dashboard.services import Services
from dashboard.ui import text, theme, updates

if TYPE_CHECKING:
    from dashboard.insights.chatters import ChattersInsights

FRESH_FOR_US = 3_600_000_000
"""So long after a capture, chat still changes who was silent: the analysis is asked for each minute."""
MINUTE_US = 60_000_000


@dataclass(slots=True)
class Update:
    """One update under way: what is asked, what the browser has, and the answer so far."""

    services: Services
    access: Access
    request: dict[str, Any]
    cursor: dict[str, Any]
    now: Instant
    tz: ZoneInfo
    answer: dict[str, Any]

    @property
    def insights(self) -> ChattersInsights:
        """What answers the questions."""
        assert self.services.chatters is not None
        return self.services.chatters

    @property
    def theme(self) -> theme.Theme:
        """Theme of the page."""
        return "light" if self.request.get("theme") == "light" else "dark"

    @property
    def minutes(self) -> int:
        """How far back "who spoke" looks."""
        asked = self.request.get("minutes")
        return asked if isinstance(asked, int) and 1 <= asked <= 1440 else 10

    @property
    def today(self) -> str:
        """The day of the viewer: times of today stand without a date."""
        return f"{text.local(self.now, self.tz):%Y-%m-%d} {self.tz}"

    @property
    def picked(self) -> tuple[int, int] | None:
        """First and last day of the bar that was clicked."""
        return _days(self.request.get("picked"))

    def put(self, part: str, key: object, build: Callable[[], Any]) -> None:
        """Answers a part of the page if its data changed."""
        self.answer[part] = updates.only_if_new(self.cursor, part, key, build)

    def choose(self, rooms: Sequence[RoomChoice]) -> RoomChoice | None:
        """The channel of the address; without one, where something was captured last, else the first.

        Raises:
            AccessDenied: The address names a channel that this person may not see.
        """
        wanted = str(self.request.get("room") or "")[:25].lower()
        if wanted:
            found = next((room for room in rooms if room.room_login == wanted), None)
            if found is None:
                self.access.require_room(wanted)
                raise AccessDenied(f"{wanted} is not among the channels that can be captured here.")
            return found
        captured = [room for room in rooms if room.last_capture is not None]
        newest = max(captured, key=lambda room: room.last_capture.asked_at, default=None)  # type: ignore[union-attr]
        return newest or (rooms[0] if rooms else None)

    def running(self, rooms: Sequence[RoomChoice], captures: Sequence[CaptureLine]) -> list[CaptureLine]:
        """The captures under way, those of this channel first, each once."""
        others = [room.last_capture for room in rooms if room.last_capture is not None]
        found = {capture.capture_id: capture for capture in (*captures, *others) if capture.is_running}
        return list(found.values())[:4]

    def scope(self, captures: Sequence[CaptureLine], sessions: Sequence[SessionLine]) -> str:
        """What is looked at: what was chosen while it is there, else the newest complete capture.

        Who looks at the newest one goes on to the next as soon as that is complete.
        """
        complete = [f"c:{capture.capture_id}" for capture in captures if capture.state == "complete"]
        newest = complete[0] if complete else ""
        asked, before = str(self.request.get("scope") or ""), str(self.cursor.get("newest") or "")
        self.cursor["newest"] = newest
        if newest and newest != before and asked in ("", before):
            return newest
        there = {*complete, *(f"s:{session.session_id}" for session in sessions if session.captures)}
        return asked if asked in there else newest

    def shown(self, captures: Sequence[CaptureLine], scope: str) -> CaptureLine | None:
        """The one capture that is looked at; None when it is a session."""
        return next((c for c in captures if scope == f"c:{c.capture_id}"), None)

    def root_class(self, scope: str) -> str:
        """State of the whole page, for the style sheet."""
        flags = [
            "is-filled" if scope else "is-waiting" if self.cursor.get("is_busy") else "is-empty",
            "is-zoomed" if _days(self.request.get("zoom")) else "",
            "has-session" if self.request.get("session") else "",
        ]
        return " ".join(["chatters", *(flag for flag in flags if flag)])

    def selection(self, scope: str) -> Selection:
        """The question of the picture: what is looked at, and through which filters."""
        kind, _, name = scope.partition(":")
        zoom = _days(self.request.get("zoom"))
        payload = {
            "capture_ids": [name] if kind == "c" else [],
            "session_id": name if kind == "s" else "",
            "grain": self.request.get("grain"),
            "last_days": self.request.get("last_days"),
            "traits": self.request.get("traits"),
            "start_day": zoom[0] if zoom else None,
            "end_day": zoom[1] if zoom else None,
        }
        return Selection.from_payload(payload)

    def analysis(
        self, scope: str, captures: Sequence[CaptureLine], sessions: Sequence[SessionLine]
    ) -> ChattersAnalysis | None:
        """The analysis, if anything that it is made from, or drawn with, has changed."""
        selection = self.selection(scope)
        used = [c for c in captures if scope == f"c:{c.capture_id}"]
        used += [c for s in sessions if scope == f"s:{s.session_id}" for c in s.captures]
        is_fresh = any(self.now - capture.at < FRESH_FOR_US for capture in used)
        payload = selection.to_payload()
        data = (payload, [(c.capture_id, c.known_count) for c in used])
        self.cursor["data_key"] = updates.digest(data)
        self.cursor["selection"] = payload
        minute = is_fresh and self.now // MINUTE_US
        looks = (self.theme, self.request.get("is_narrow"), self.picked, self.request.get("cohort"))
        drawn = (data, minute, looks, self.today)
        if self.cursor.get("drawn") == updates.digest(drawn):
            return None
        self.cursor["drawn"] = updates.digest(drawn)
        return self.insights.analysis(selection, self.access)


def _days(value: object) -> tuple[int, int] | None:
    """Two days as a browser sends them; anything else is none."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    start, end = value
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end:
        return None
    return start, end
