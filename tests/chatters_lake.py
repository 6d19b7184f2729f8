"""A real lake and state with captures of made-up people, for the tests of Chatters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dashboard.access import Access
from dashboard.config import Settings
from dashboard.events import ChatMessage, Event, Instant, Observation
from dashboard.events_accounts import Account, Rename, Speaker, SpeakerPoll
from dashboard.events_helix import Chatter, ChatterPoll
from dashboard.insights.chatters import ChattersInsights
from dashboard.job_handle import Room
from dashboard.jobs.capture_orders import CaptureRoom
from dashboard.storage.accounts import Accounts, open_accounts
from dashboard.storage.analysis_sessions import open_sessions
from dashboard.storage.audit import open_audit
from dashboard.storage.captures import open_captures
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State
from dashboard.storage.store import Store

S = 1_000_000
MIN = 60 * S
DAY = 86_400 * S
TODAY = 20_000
"""2024-10-04."""
T0 = TODAY * DAY + 20 * 60 * MIN
"""20:00 UTC of that day."""
MOTH, WASP = Room("900", "moth"), Room("901", "wasp")


class FewRooms:
    """Tells of the rooms that it was given, whoever asks."""

    def __init__(self) -> None:
        self.listed: list[CaptureRoom] = []

    def rooms(self, access: Access) -> list[CaptureRoom]:
        return list(self.listed)


class ChattersLake:
    """Short ways to put captures, accounts and messages into a real lake."""

    def __init__(self, data_dir: Path, ingest: Ingest, **values: Any) -> None:
        self.settings = Settings(_env_file=None, data_dir=data_dir, sandbox=True, **values)
        self.store = Store(data_dir, threads=1)
        self.state = State(data_dir)
        self.captures = open_captures(self.settings)
        self.sessions = open_sessions(self.settings)
        self.accounts: Accounts = open_accounts(self.settings)
        self.audit = open_audit(self.settings)
        self.orders = FewRooms()
        self.now = T0 + 60 * MIN
        self._ingest = ingest
        self._serial = 0
        self.insights = self.fresh()

    def fresh(self) -> ChattersInsights:
        """Insights that have read nothing yet."""
        return ChattersInsights(
            self.settings,
            self.store,
            self.state,
            self.captures,
            self.sessions,
            self.accounts,
            self.orders,
            self.audit,
            now=lambda: Instant(self.now),
        )

    def put(self, *events: Event) -> None:
        self._ingest.put(events)
        self._ingest.flush()

    def base(self, at: int, room: Room | None) -> dict[str, Any]:
        self._serial += 1
        return {
            "event_id": f"e{self._serial}",
            "source": "helix",
            "room_login": room.room_login if room else "",
            "room_id": room.room_id if room else None,
            "sent_at": Instant(at),
            "received_at": Instant(at),
        }

    def born(self, days: Mapping[str, int | None]) -> None:
        """Says when accounts were made (days since 1970), at noon; None: Twitch does not know them."""
        self.put(
            *(
                Account(
                    **self.base(T0, None),
                    user_id=user_id,
                    user_login=login_of(user_id),
                    account_created_at=None if day is None else Instant(day * DAY + 12 * 60 * MIN),
                )
                for user_id, day in days.items()
            )
        )

    def capture(
        self,
        capture_id: str,
        people: Iterable[str],
        *,
        room: Room = MOTH,
        at: int = T0,
        by: str = "local",
        is_closed: bool = True,
        logins: Mapping[str, str] | None = None,
    ) -> str:
        """A list of people connected; ``is_closed`` says whether it came to its end."""
        ids = list(people)
        names = logins or {}
        rows: list[Event] = [
            Chatter(
                **self.base(at, room),
                capture_id=capture_id,
                user_id=user_id,
                user_login=names.get(user_id, login_of(user_id)),
                user_display_name=names.get(user_id, login_of(user_id)).title(),
            )
            for user_id in ids
        ]
        if is_closed:
            rows.append(ChatterPoll(**self.base(at, room), capture_id=capture_id, chatter_count=len(ids)))
        self.put(*rows)
        self.captures.ask(room, "connected", by=by, capture_id=capture_id)
        self.captures.start(capture_id)
        if is_closed:
            self.captures.complete(capture_id, listed_count=len(ids))
        return capture_id

    def spoke(
        self,
        capture_id: str,
        people: Mapping[str, int],
        *,
        room: Room = MOTH,
        at: int = T0,
        window_s: int = 600,
        by: str = "local",
    ) -> str:
        """A complete list of people who spoke, with how many messages each wrote."""
        self.put(
            *(
                Speaker(
                    **self.base(at, room),
                    capture_id=capture_id,
                    user_id=user_id,
                    user_login=login_of(user_id),
                    message_count=count,
                )
                for user_id, count in people.items()
            ),
            SpeakerPoll(
                **self.base(at, room),
                capture_id=capture_id,
                speaker_count=len(people),
                start_at=Instant(at - window_s * S),
                end_at=Instant(at),
            ),
        )
        self.captures.ask(room, "spoke", by=by, window_s=window_s, capture_id=capture_id)
        self.captures.start(capture_id)
        self.captures.complete(capture_id, listed_count=len(people))
        return capture_id

    def read_chat(self, start: int, end: int | None = None, room: Room = MOTH) -> None:
        """Says that chat was read from an instant on (to another one)."""
        changes = [(start, "joined"), *([(end, "left")] if end is not None else [])]
        self.put(*(Observation(**self.base(at, room), collector="irc", state=state) for at, state in changes))

    def say(self, user_id: str, at: int, *, room: Room = MOTH, **values: Any) -> None:
        told = {"user_id": user_id, "user_login": login_of(user_id), "text": "hi"}
        self.put(ChatMessage(**self.base(at, room), **(told | values)))

    def rename(self, user_id: str, at: int, old: str, new: str) -> None:
        self.put(
            Rename(
                **self.base(at, None),
                user_id=user_id,
                old_login=old,
                user_login=new,
                old_display_name=old.title(),
                user_display_name=new.title(),
            )
        )

    def close(self) -> None:
        self.store.close()
        for part in (self.state, self.captures, self.sessions, self.accounts, self.audit):
            part.close()


def login_of(user_id: str) -> str:
    """The login of a made-up person."""
    return f"u{user_id}"
