"""Headers and frames read into messages: what every message must have, and times to the microsecond."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dashboard.errors import ParseError
from dashboard.events import Instant
from dashboard.eventsub_message import from_frame, from_metadata, from_webhook
from dashboard.instants import parse_instant

NOW = Instant(1_800_000_000_000_000)
SUBSCRIPTION = {"id": "s1", "type": "channel.follow", "version": "2", "condition": {}}
HEADERS = {
    "Twitch-Eventsub-Message-Id": "m1",
    "Twitch-Eventsub-Message-Type": "notification",
    "Twitch-Eventsub-Message-Timestamp": "2024-09-10T03:13:31.634234626Z",
    "Twitch-Eventsub-Subscription-Type": "channel.follow",
    "Twitch-Eventsub-Subscription-Version": "2",
    "Content-Type": "application/json",
}
METADATA = {
    "message_id": "m1",
    "message_type": "notification",
    "message_timestamp": "2024-09-10T03:13:31.634234626Z",
    "subscription_type": "channel.follow",
    "subscription_version": "2",
}


def posted(body: Any = None, **headers: str | None) -> Any:
    told = {name: value for name, value in (HEADERS | headers).items() if value is not None}
    content = {"subscription": SUBSCRIPTION, "event": {"user_id": "1"}} if body is None else body
    return from_webhook(told, content if isinstance(content, bytes) else json.dumps(content).encode(), NOW)


def test_a_request_is_read_with_its_body_verbatim() -> None:
    body = b'{ "subscription" : {"type":"channel.follow","version":"2"},\n"event":{"user_name":"\xc3\xb6"} }'
    message = posted(body)
    assert (message.message_id, message.eventsub_type, message.version) == ("m1", "channel.follow", "2")
    assert (message.sent_at, message.received_at) == (1_725_938_011_634_234, NOW)
    assert message.event == {"user_name": "ö"}
    assert (message.body, message.transport, message.message_type) == (
        body.decode(),
        "webhook",
        "notification",
    )


def test_header_names_have_no_case() -> None:
    lowered = {name.lower(): value for name, value in HEADERS.items()}
    body = json.dumps({"subscription": SUBSCRIPTION, "event": {}}).encode()
    assert from_webhook(lowered, body, NOW) == from_webhook(HEADERS, body, NOW)


@pytest.mark.parametrize(
    ("header", "value", "problem"),
    [
        ("Twitch-Eventsub-Message-Id", None, "no id"),
        ("Twitch-Eventsub-Message-Id", "", "no id"),
        ("Twitch-Eventsub-Message-Timestamp", None, "no timestamp"),
        ("Twitch-Eventsub-Message-Timestamp", "yesterday", "no timestamp"),
        ("Twitch-Eventsub-Message-Timestamp", "1971-01-01T00:00:00Z", "no timestamp"),
        ("Twitch-Eventsub-Message-Type", None, "no message type"),
    ],
)
def test_what_every_message_has_must_be_there(header: str, value: str | None, problem: str) -> None:
    with pytest.raises(ParseError, match=problem):
        posted(**{header: value})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"event": "\xff"}', "not JSON"),
        (b"[]", "not a JSON object"),
        ({"event": {}}, "names no subscription"),
        ({"subscription": "s1", "event": {}}, "names no subscription"),
    ],
)
def test_a_broken_body_is_refused_without_showing_it(body: Any, problem: str) -> None:
    with pytest.raises(ParseError, match=problem) as caught:
        posted(body)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_several_events_at_once_are_a_list() -> None:
    assert posted({"subscription": SUBSCRIPTION, "events": [{"id": "a"}]}).event == [{"id": "a"}]
    assert posted({"subscription": SUBSCRIPTION, "event": "odd"}).event == {}


def test_the_headers_tell_type_and_version_where_the_body_does_not() -> None:
    message = posted({"subscription": {"id": "s1"}, "event": {}})
    assert (message.eventsub_type, message.version) == ("channel.follow", "2")


def test_a_frame_is_the_same_message() -> None:
    payload = {"subscription": SUBSCRIPTION, "event": {"user_id": "1"}}
    frame = json.dumps({"metadata": METADATA, "payload": payload})
    message = from_frame(frame, NOW, transport="conduit")
    by_request = posted(payload)
    assert (message.body, message.transport) == (frame, "conduit")
    for name in (
        "message_id",
        "sent_at",
        "eventsub_type",
        "version",
        "subscription",
        "event",
        "message_type",
    ):
        assert getattr(message, name) == getattr(by_request, name)
    assert from_frame(frame.encode(), NOW, transport="conduit") == message
    decoded = from_metadata(METADATA, payload, NOW)
    assert json.loads(decoded.body) == json.loads(frame)
    assert (decoded.transport, decoded.event) == ("websocket", {"user_id": "1"})


def test_a_decoded_frame_may_hold_what_no_file_can() -> None:
    payload = {"subscription": SUBSCRIPTION, "event": {"text": "\ud800", "n": 2**70}}
    assert "\\ud800" in from_metadata(METADATA, payload, NOW).body


def test_a_session_message_is_about_no_subscription() -> None:
    metadata = {
        "message_id": "m2",
        "message_type": "session_keepalive",
        "message_timestamp": "2024-09-10T03:13:31Z",
    }
    message = from_frame(json.dumps({"metadata": metadata, "payload": {}}), NOW)
    assert (message.message_type, message.eventsub_type, message.subscription) == (
        "session_keepalive",
        "",
        {},
    )


@pytest.mark.parametrize("frame", ["{}", '{"metadata": 1}', "[]", "x"])
def test_a_broken_frame_is_refused(frame: str) -> None:
    with pytest.raises(ParseError):
        from_frame(frame, NOW)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-09-10T03:13:31Z", 1_725_938_011_000_000),
        ("2024-09-10T03:13:31.6Z", 1_725_938_011_600_000),
        ("2024-09-10T03:13:31.634234626Z", 1_725_938_011_634_234),
        ("2024-09-10T03:13:31.999999999Z", 1_725_938_011_999_999),
        ("2024-09-10T05:13:31+02:00", 1_725_938_011_000_000),
        ("2024-09-10t03:13:31z", 1_725_938_011_000_000),
        ("2024-09-10T03:13:31", None),
        ("2024-09-10", None),
        ("0001-01-01T00:00:00Z", None),
        ("2100-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
        (1_725_938_011, None),
        ("x" * 30, None),
    ],
)
def test_times_are_cut_off_to_microseconds(text: object, instant: int | None) -> None:
    assert parse_instant(text) == instant
