"""Logs of the chat client Chatty, with the viewer statistics it writes into them.

A session begins with ``# Log started: 2016-09-02 07:04:57 +0800``, which gives the date and the zone; the
lines below have the time of day only. A time that lies more than twelve hours before the line above it is
of the next day. A zone stays what it was at the session's start (a change of clocks in the middle of a
session is not seen). What becomes of a line:

===================================  ==============================================================
``<@Name> text``                     ``ChatMessage``; ``<Name>* text`` is one written with ``/me``
``BAN: name (600s) [reason], …``     ``Moderation`` each: ``timeout`` with a time, else ``ban``
``DELETED: name (text)``             ``Moderation``: ``delete_message``
``MOD:`` ``UNMOD:`` ``JOIN:`` …      ``UserListChange`` for each name
``BITS: name (100)``                 ``Bits`` (the message has its own line)
``[Notification] …``                 ``Subscription`` and others, by Twitch's sentence
``~title (game)~``                   title and game of the ``ViewerSample`` that follow; after ``~Stream
                                     offline~`` also ``StreamChange``: ``start``
``~Stream offline~``                 ``StreamChange``: ``end``
``Viewerstats (07:04-07:35): …``     ``ViewerSample`` each, see :mod:`collectors.recorded.chatty_viewers`
``VIEWERS: 1,234``                   ``ViewerSample``
anything else with a time            ``Notice``
===================================  ==============================================================

Signs before a name: ``~`` broadcaster, ``@`` moderator, ``%`` subscriber, ``+`` turbo or Prime, ``$`` bits
badge, ``^`` bot (Chatty's own list), ``&`` staff, ``*`` global moderator, ``!`` VIP (before the VIPs of
June 2018: admin). A name is written as shown; its login is the same in lower case, but for localized names
the login is not told: ``名前`` stands for it then, ``名前 (login)`` tells both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

from collectors.recorded.chatty_viewers import parse_viewer_stats
from collectors.recorded.files import RecordedFile
from collectors.recorded.notices import notice_from_text
from collectors.recorded.recording import BATCH_EVENTS, Occurrences, Recording, message_id
from collectors.recorded.times import MINUTE, parse_zone, to_instant
from dashboard.errors import RecordingError
from dashboard.events import (
    Bits,
    ChatMessage,
    Event,
    Instant,
    Moderation,
    Notice,
    OtherNotice,
    StreamChange,
    UserListChange,
    ViewerSample,
    now_us,
    synthetic_id,
)

LOG_STARTED = re.compile(r"# Log started: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?: ([+-]\d{4}|\S+))?")
_DATE_LINE = re.compile(r"# ?(\d{4}-\d\d-\d\d)(?: .*)?")
_LINE = re.compile(r"\[(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d?:\d\d:\d\d)(?: ([+-]\d{4}|[A-Z]{2,5}))?\] ?(.*)")
_MESSAGE = re.compile(r"<([~@%+$^&*!]*)([^<>]{1,100}?)>(\*?) ?(.*)")
_ROOM = re.compile(r"(?:Joining|You have joined|You have left) #(\w+)")
_LOCALIZED = re.compile(r"(.+) \((\w+)\)", re.ASCII)
_BANNED = re.compile(r"(\S+?)(?: \((\d+)s\))?(?: \[(.*?)\])?(?: \{[^}]*\})?(?:, |$)")
_DELETED = re.compile(r"(\S+) \((.*?)\)(?:, (?=\S+ \()|$)")
_STATUS = re.compile(r"~(.*)~")
_VIPS_SINCE = Instant(1_527_811_200_000_000)  # 2018-06-01
_LISTS = {"MOD": "mod", "UNMOD": "unmod", "JOIN": "join", "PART": "part"}
_OFFLINE = "Stream offline"


def is_chatty_line(line: str) -> bool:
    """Whether a line of a file is one that only Chatty writes."""
    return LOG_STARTED.match(line) is not None


class ChattyLog(Recording):
    """A log of one channel; it may hold several sessions."""

    format = "Chatty log"
    # Viewer statistics are written up to half an hour after the samples were taken.
    reorder_us = 36 * MINUTE

    def __init__(
        self, file: RecordedFile, channel: str | None = None, clock: Callable[[], Instant] = now_us
    ) -> None:
        super().__init__(file, clock)
        self._room = self._find_room(channel)

    def events(self) -> Iterator[list[Event]]:
        session = _Session(self._room, self.reject)
        batch: list[Event] = []
        received_at = self._clock()
        for line in self._file.lines():
            batch += session.read(line, received_at)
            if len(batch) >= BATCH_EVENTS:
                yield batch
                batch, received_at = [], self._clock()
        self.note_damage()
        if batch:
            yield batch

    def _find_room(self, channel: str | None) -> str:
        for line in self._file.head_text.splitlines():
            match = _LINE.match(line)
            if match and (room := _ROOM.match(match[4])):
                return room[1].lower()
        # Chatty names its files #channel.log or 2016-09-02_#channel.log.
        if match := re.search(r"#(\w{1,25})", self.path.name, re.ASCII):
            return match[1].lower()
        if channel is None:
            raise RecordingError(f"{self.path} does not tell its channel: give it with --channel NAME.")
        return channel.lower()


class _Session:
    """Reads a log's lines one after the other; remembers the date and what is on."""

    def __init__(self, room: str, reject: Callable[[str, str], None]) -> None:
        self._room = room
        self._reject = reject
        self._at: datetime | None = None
        self._zone: tzinfo | None = None
        self._statuses: list[tuple[Instant, str | None, str | None]] = []
        self._is_offline = False
        self._occurrences = Occurrences()
        self._received_at = Instant(0)

    def read(self, line: str, received_at: Instant) -> list[Event]:
        self._received_at = received_at
        if line in ("", "-"):
            return []
        if line.startswith("#"):
            self._read_header(line)
            return []
        return self._read_line(line)

    def _read_line(self, line: str) -> list[Event]:
        match = _LINE.match(line)
        if match is None:
            self._reject(line, "not a line of a Chatty log: no time in front")
            return []
        try:
            at = self._instant(*match.group(1, 2, 3))
            events = [] if at is None else self._events(at, match[4], line)
        except (ValueError, OverflowError):
            self._reject(line, "not a time")
            return []
        if at is None:
            self._reject(line, "no date: it stands above the first “# Log started”")
            return []
        for event in events:
            self._occurrences.number(event)
        return events

    def _read_header(self, line: str) -> None:
        try:
            self._read_date(line)
        except ValueError:
            self._at = None
            self._reject(line, "not a date: the lines below it have no time")

    def _read_date(self, line: str) -> None:
        if match := LOG_STARTED.match(line):
            self._zone = parse_zone(match[3])
            self._at = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=self._zone)
            self._statuses.clear()
            self._is_offline = False
        elif (match := _DATE_LINE.fullmatch(line)) and self._at is not None:
            self._at = datetime.fromisoformat(match[1]).replace(tzinfo=self._zone)

    def _instant(self, date: str | None, time: str, zone: str | None) -> Instant | None:
        hour, minute, second = (int(part) for part in time.split(":"))
        if date is not None:
            tz = parse_zone(zone) if zone else self._zone or parse_zone(None)
            self._zone = tz
            self._at = datetime.fromisoformat(date).replace(
                hour=hour, minute=minute, second=second, tzinfo=tz
            )
            return to_instant(self._at)
        if self._at is None:
            return None
        at = self._at.replace(hour=hour, minute=minute, second=second)
        if self._at - at > timedelta(hours=12):
            at += timedelta(days=1)
        self._at = at
        return to_instant(at)

    def _events(self, at: Instant, text: str, line: str) -> list[Event]:
        if text.startswith("<") and (match := _MESSAGE.fullmatch(text)):
            return [self._message(at, *match.groups())]
        if text.startswith("Viewerstats ("):
            return self._viewer_stats(at, text, line)
        if match := _STATUS.fullmatch(text):
            return self._status(at, match[1])
        if text.startswith("[Notification] "):
            return [self._notification(at, text.removeprefix("[Notification] "))]
        word, colon, rest = text.partition(": ")
        if colon and (read := _READERS.get(word)) is not None and (events := read(self, at, word, rest)):
            return events
        return [self._notice(at, text)]

    def _common(self, kind: str, at: Instant, *identity: object) -> dict[str, Any]:
        return {
            "event_id": synthetic_id(kind, self._room, at, *identity),
            "source": "import",
            "room_login": self._room,
            "sent_at": at,
            "received_at": self._received_at,
        }

    def _message(self, at: Instant, signs: str, name: str, star: str, text: str) -> ChatMessage:
        user = _user_of(name)
        return ChatMessage(
            **{
                **self._common(ChatMessage.kind, at),
                "event_id": message_id(self._room, at, user["user_login"], text),
            },
            **user,
            **_signs(signs, at),
            text=text,
            is_action=star == "*",
        )

    def _notification(self, at: Instant, text: str) -> Event:
        name, _, _ = text.partition(" ")
        common = self._common("usernotice", at, text) | _user_of(name)
        notice = notice_from_text(text, common)
        return notice or OtherNotice(
            **self._common("usernotice", at, text), msg_id="notification", system_message=text
        )

    def _notice(self, at: Instant, text: str) -> Notice:
        msg_id = None
        if text.startswith("[Info] "):
            text = text.removeprefix("[Info] ")
            msg_id = "host_on" if text.startswith("Now hosting ") else None
        elif text.startswith("MOD_ACTION: "):
            msg_id = "mod_action"
        return Notice(**self._common(Notice.kind, at, msg_id, text), msg_id=msg_id, text=text)

    def _status(self, at: Instant, status: str) -> list[Event]:
        if status == _OFFLINE:
            self._is_offline = True
            common = self._common(StreamChange.kind, at, "end")
            title, game = self._status_at(at)
            return [StreamChange(**common, action="end", title=title, game_name=game)]
        title, game = split_status(status)
        self._statuses.append((at, title, game))
        if not self._is_offline:
            return []
        self._is_offline = False
        common = self._common(StreamChange.kind, at, "start")
        return [StreamChange(**common, action="start", started_at=at, title=title, game_name=game)]

    def _status_at(self, at: Instant) -> tuple[str | None, str | None]:
        """Title and game at a time; before the first one told, those of the first."""
        earlier = [status for status in self._statuses if status[0] <= at] or self._statuses[:1]
        return earlier[-1][1:] if earlier else (None, None)

    def _viewer_stats(self, at: Instant, text: str, line: str) -> list[Event]:
        assert self._at is not None
        try:
            samples = parse_viewer_stats(text, self._at)
        except ValueError as error:
            self._reject(line, str(error))
            return []
        return [self._sample(sample_at, count) for sample_at, count in samples]

    def _sample(self, at: Instant, count: int) -> ViewerSample:
        title, game = self._status_at(at)
        common = self._common(ViewerSample.kind, at)
        return ViewerSample(**common, viewer_count=count, title=title, game_name=game)

    def read_viewers(self, at: Instant, word: str, rest: str) -> list[Event]:
        count = rest.replace(",", "").strip()
        return [self._sample(at, int(count))] if count.isascii() and count.isdigit() else []

    def read_list(self, at: Instant, word: str, rest: str) -> list[Event]:
        action = _LISTS[word]
        logins = [_user_of(name)["user_login"] for name in rest.split(", ") if name]
        return [
            UserListChange(
                **self._common(UserListChange.kind, at, action, login), action=action, user_login=login
            )
            for login in logins
        ]

    def read_bans(self, at: Instant, word: str, rest: str) -> list[Event]:
        return [
            self._moderation(
                at,
                "timeout" if seconds else "ban",
                name,
                duration_s=int(seconds) if seconds else None,
                reason=reason,
            )
            for name, seconds, reason in (match.groups() for match in _BANNED.finditer(rest))
        ]

    def read_deleted(self, at: Instant, word: str, rest: str) -> list[Event]:
        return [
            self._moderation(at, "delete_message", name, target_text=text)
            for name, text in (match.groups() for match in _DELETED.finditer(rest))
        ]

    def read_bits(self, at: Instant, word: str, rest: str) -> list[Event]:
        match = re.fullmatch(r"(.+) \((\d+)\)", rest)
        if match is None:
            return []
        user = _user_of(match[1])
        return [Bits(**self._common(Bits.kind, at, user["user_login"], match[2]), **user, bits=int(match[2]))]

    def _moderation(self, at: Instant, action: str, name: str, **details: Any) -> Moderation:
        login = _user_of(name)["user_login"]
        common = self._common(Moderation.kind, at, action, login, *details.values())
        return Moderation(**common, action=action, target_user_login=login, **details)


_READERS: dict[str, Callable[[_Session, Instant, str, str], list[Event]]] = {
    **dict.fromkeys(_LISTS, _Session.read_list),
    "BAN": _Session.read_bans,
    "DELETED": _Session.read_deleted,
    "BITS": _Session.read_bits,
    "VIEWERS": _Session.read_viewers,
}


def split_status(status: str) -> tuple[str | None, str | None]:
    """Title and game of ``title (game)``; the game can have brackets of its own, the title too."""
    match = re.fullmatch(r"(.*?) ?\(((?:[^()]|\([^()]*\))*)\)", status)
    title, game = (match[1], match[2]) if match else (status, None)
    return (None if title in ("", "No stream title set") else title), game or None


def _user_of(name: str) -> dict[str, Any]:
    match = _LOCALIZED.fullmatch(name)
    shown, login = (match[1], match[2]) if match else (name, name)
    return {"user_login": login.lower(), "user_display_name": shown}


def _signs(signs: str, at: Instant) -> dict[str, Any]:
    """The badges behind the signs; those whose version is not told (subscriber, bits) are left out."""
    badges = {"~": "broadcaster/1", "@": "moderator/1", "&": "staff/1", "*": "global_mod/1"}
    has_vips = at >= _VIPS_SINCE
    badges["!"] = "vip/1" if has_vips else "admin/1"
    return {
        "badges": ",".join(badges[sign] for sign in signs if sign in badges) or None,
        "is_subscriber": "%" in signs,
        "is_mod": "@" in signs,
        "is_vip": "!" in signs if has_vips else None,
        "is_turbo": "+" in signs,
    }
