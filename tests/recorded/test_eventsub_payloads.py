"""The 288 EventSub payloads of Twitch's documentation and of another client's tests: nothing gets lost."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from collectors.eventsub_parse import TYPED, parse_notification
from dashboard.errors import ParseError
from dashboard.events import Event, Instant
from dashboard.events_eventsub import Notification
from dashboard.eventsub_message import EventSubMessage, from_frame, from_webhook
from dashboard.instants import parse_instant
from dashboard.storage.batch import batches_of

NOW = Instant(1_800_000_000_000_000)
SENT_AT = Instant(1_725_938_011_634_234)
HEADERS = {
    "Twitch-Eventsub-Message-Id": "befa7b53-d79d-478f-86b9-120f112b044e",
    "Twitch-Eventsub-Message-Timestamp": "2024-09-10T03:13:31.634234626Z",
}
Path_ = tuple[str | int, ...]

# What stands in no envelope of its own: the part of which message it is, told by the documentation's heading
# and by the fields.
SNIPPETS = {
    "other.v.other.1.json": ("channel.moderate", ()),
    "other.v.message.1.json": ("channel.subscription.message", ("message",)),
    "other.v.notification.4.json": ("channel.chat.notification", ("resub",)),
}


@pytest.fixture(scope="session")
def payloads(recorded_dir: Path) -> dict[str, Any]:
    """Every payload by its file's name (with the folder, as the two collections overlap)."""
    files = sorted((recorded_dir / "eventsub").glob("*/*.json"))
    if not files:
        pytest.skip(f"no EventSub payloads in {recorded_dir}")
    return {f"{file.parent.name}/{file.name}": json.loads(file.read_bytes()) for file in files}


def sort_of(name: str, payload: dict[str, Any]) -> str:
    """What a file holds, by its form alone."""
    if {"metadata", "payload"} <= payload.keys():
        return f"frame {payload['metadata']['message_type']}"
    if "subscription" in payload:
        if "challenge" in payload:
            return "challenge"
        return "notification" if payload.keys() & {"event", "events"} else "revocation"
    if {"type", "version", "condition", "transport"} <= payload.keys():
        return "request"
    return "snippet" if name.split("/")[1] in SNIPPETS else "unknown"


def webhook(payload: Any, message_type: str = "notification") -> EventSubMessage:
    headers = HEADERS | {"Twitch-Eventsub-Message-Type": message_type}
    return from_webhook(headers, json.dumps(payload).encode(), NOW)


def notifications(payloads: dict[str, Any]) -> Iterator[tuple[str, EventSubMessage]]:
    """All notifications: from webhooks, from frames, and the snippets put back where they belong."""
    for name, payload in payloads.items():
        sort = sort_of(name, payload)
        if sort == "notification":
            yield name, webhook(payload)
        elif sort == "frame notification":
            yield name, from_frame(json.dumps(payload), NOW)
        elif sort == "snippet":
            yield name, webhook(_enveloped(payloads, name))


def _enveloped(payloads: dict[str, Any], name: str) -> Any:
    eventsub_type, place = SNIPPETS[name.split("/")[1]]
    whole = next(
        payload
        for other, payload in payloads.items()
        if sort_of(other, payload) == "notification"
        and payload["subscription"]["type"] == eventsub_type
        and payload["event"].get("notice_type") in (None, *place)
    )
    whole = copy.deepcopy(whole)
    if place:
        whole["event"][place[0]] = payloads[name]
    else:
        whole["event"] = payloads[name]
    return whole


def test_every_file_is_what_it_should_be(payloads: dict[str, Any]) -> None:
    assert Counter(sort_of(name, payload) for name, payload in payloads.items()) == {
        "notification": 194,
        "request": 82,
        "snippet": 3,
        "challenge": 2,
        "revocation": 1,
        "frame notification": 2,
        "frame revocation": 1,
        "frame session_welcome": 1,
        "frame session_keepalive": 1,
        "frame session_reconnect": 1,
    }


def test_what_is_no_notification_gives_no_events(payloads: dict[str, Any]) -> None:
    for name, payload in payloads.items():
        sort = sort_of(name, payload)
        if sort == "request":
            with pytest.raises(ParseError, match="names no subscription"):
                webhook(payload)
            continue
        if sort == "challenge":
            message = webhook(payload, "webhook_callback_verification")
        elif sort == "revocation":
            message = webhook(payload, "revocation")
        elif sort.startswith("frame") and sort != "frame notification":
            message = from_frame(json.dumps(payload), NOW)
        else:
            continue
        [raw] = parse_notification(message)
        assert isinstance(raw, Notification)
        assert raw.message_type == message.message_type, name
        assert json.loads(raw.body or "") == payload


def test_frames_and_requests_give_the_same_events(payloads: dict[str, Any]) -> None:
    for name, payload in payloads.items():
        if sort_of(name, payload) == "frame notification":
            framed = from_frame(json.dumps(payload), NOW)
            metadata = payload["metadata"]
            headers = {
                "twitch-eventsub-message-id": metadata["message_id"],
                "TWITCH-EVENTSUB-MESSAGE-TYPE": metadata["message_type"],
                "Twitch-Eventsub-Message-Timestamp": metadata["message_timestamp"],
            }
            posted = from_webhook(headers, json.dumps(payload["payload"]).encode(), NOW)
            assert parse_notification(framed)[1:] == parse_notification(posted)[1:]
            assert [event.kind for event in parse_notification(framed)] == ["notifications", "follows"]


def test_every_notification_becomes_its_events(payloads: dict[str, Any]) -> None:
    seen = set()
    for name, message in notifications(payloads):
        events = parse_notification(message)
        raw = events[0]
        assert isinstance(raw, Notification)
        assert (raw.body, raw.event_id, raw.sent_at) == (message.body, message.message_id, message.sent_at)
        assert (raw.eventsub_type, raw.eventsub_version) == (message.eventsub_type, message.version)
        if message.eventsub_type in TYPED:
            assert len(events) > 1, name
            seen.add(message.eventsub_type)
        else:
            assert len(events) == 1, name
        _, _, unfit = batches_of(events)
        assert unfit == [], name
    assert seen == TYPED


def test_the_raw_row_names_the_channel_of_types_without_events(payloads: dict[str, Any]) -> None:
    for name, message in notifications(payloads):
        event = message.event
        if message.eventsub_type in TYPED or not isinstance(event, dict):
            continue
        raw = parse_notification(message)[0]
        told = event.get("broadcaster_user_login", event.get("broadcaster_login"))
        # Some types are about an account or a conduit, and one example is a list inside an object.
        assert raw.room_login == (told or "").lower(), name
        assert (
            raw.room_id == (event.get("broadcaster_user_id") or event.get("broadcaster_id")) or told is None
        )


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value inside that is neither an object nor a list, with the way to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def columns(events: list[Event]) -> set[Any]:
    """Every value in the columns of events; of JSON columns the values inside, of badges their parts."""
    found: set[Any] = set()
    for event in events:
        for name, value in asdict(event).items():  # type: ignore[call-overload]
            found.add(value)
            if not isinstance(value, str):
                continue
            if value[:1] in ("{", "["):
                found.update(leaf for _, leaf in leaves(json.loads(value)))
            elif "badge" in name:
                found.update(re.split(r"[/,]", value))
    return found


def as_stored(value: Any) -> set[Any]:
    """The forms in which the lake can hold a value of Twitch's."""
    forms: set[Any] = {value}
    if isinstance(value, str):
        forms |= {value.lower(), parse_instant(value), value.removeprefix("\x01ACTION ").removesuffix("\x01")}
        if value.isdigit():
            forms.add(int(value))
        if value in ("true", "false"):
            forms.add(value == "true")
    forms.discard(None)
    return forms


def is_spelled_out(event: Any, path: Path_) -> bool:
    """Plain words of a chat message's parts: they are in the text, which is stored whole."""
    if path[:2] != ("message", "fragments") or path[3:] not in (("text",), ("type",)):
        return False
    part = event["message"]["fragments"][path[2]]
    return part["type"] == "text" and part["text"] in event["message"]["text"]


def test_no_value_is_lost(payloads: dict[str, Any]) -> None:
    checked = 0
    for name, message in notifications(payloads):
        if message.eventsub_type not in TYPED:
            continue
        stored = columns(parse_notification(message)[1:])
        for path, value in leaves(message.event):
            if value in (None, "") or is_spelled_out(message.event, path):
                continue
            assert as_stored(value) & stored, (name, path, value)
            checked += 1
    assert checked > 1_700


def changed(value: Any, number: int) -> Any:
    """Another value of the same type, as Twitch might send it, met nowhere else."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return 700_000 + number
    if value in ("true", "false"):
        return "false" if value == "true" else "true"
    if parse_instant(value) is not None:
        return f"2031-01-01T00:{number // 60 % 60:02}:{number % 60:02}.5Z"
    return f"zq{number}" if not value.isdigit() else str(700_000 + number)


def test_no_field_is_passed_over(payloads: dict[str, Any]) -> None:
    """Each leaf is changed in turn; the events must show the new value, and so they had read the old one."""
    checked = 0
    for name, message in notifications(payloads):
        if message.eventsub_type not in TYPED:
            continue
        before = parse_notification(message)[1:]
        for number, (path, value) in enumerate(leaves(message.event)):
            if value in (None, "") or is_spelled_out(message.event, path):
                continue
            event = copy.deepcopy(message.event)
            place: Any = event
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = new = changed(value, number)
            after = parse_notification(_with(message, event))[1:]
            assert after != before, (name, path, value)
            if not isinstance(new, bool):
                assert as_stored(new) & columns(after), (name, path, new)
            checked += 1
    assert checked > 1_700


def _with(message: EventSubMessage, event: Any) -> EventSubMessage:
    return EventSubMessage(
        message_id=message.message_id,
        sent_at=message.sent_at,
        received_at=message.received_at,
        eventsub_type=message.eventsub_type,
        version=message.version,
        subscription=message.subscription,
        event=event,
        body=message.body,
        transport=message.transport,
    )


def test_no_field_is_without_a_column(payloads: dict[str, Any]) -> None:
    for name, message in notifications(payloads):
        for event in parse_notification(message)[1:]:
            assert getattr(event, "other_fields", None) is None, name


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["2023-07-19T14:56:51.634234626Z", "0001-01-01T00:00:00Z", "-5", "true", "\x01ACTION"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@cache
def _originals(recorded_dir: Path) -> list[EventSubMessage]:
    files = sorted((recorded_dir / "eventsub").glob("*/*.json"))
    all_payloads = {f"{file.parent.name}/{file.name}": json.loads(file.read_bytes()) for file in files}
    return [message for _, message in notifications(all_payloads)]


def _mutilated(data: st.DataObject, value: Any) -> Any:
    """The value with something inside missing, renamed, of another type, or twice."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 3)) == 0:
        return data.draw(_JSON)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = data.draw(st.sampled_from(keys))
    damaged = copy.copy(value)
    how = data.draw(st.sampled_from(["missing", "renamed", "inside", "inside", "inside"]))
    if how == "inside":
        damaged[key] = _mutilated(data, value[key])
    elif how == "missing" or isinstance(damaged, list):
        del damaged[key]
    else:
        damaged[f"{key}_2"] = damaged.pop(key)
    return damaged


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_broken_payloads_never_raise_and_keep_their_raw_row(recorded_dir: Path, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(_originals(recorded_dir)))
    event: Any = message.event
    for _ in range(data.draw(st.integers(1, 4))):
        event = _mutilated(data, event)
    broken = _with(message, event)
    with capture_logs() as logs:
        raw, *events = parse_notification(broken)
    # The last safety net, which gives up all of a message's events, was not needed either.
    assert logs == []
    assert isinstance(raw, Notification)
    assert raw.body == message.body
    _, _, unfit = batches_of([raw, *events])
    assert unfit == []
    assert all(event.room_login for event in events)
