"""People left out of the lake stay out of what EventSub tells too, also of the messages as they came."""

from __future__ import annotations

import json

import pytest

from collectors.eventsub_parse import parse_notification
from dashboard.events import Event
from dashboard.eventsub_message import from_webhook
from dashboard.storage.optout import names_somebody, without_people
from tests.chat_both import HEADERS, NOW, Said, eventsub_event, mention, words

PEOPLE = {"2", "bob"}
ROOM = {"broadcaster_user_id": "1337", "broadcaster_user_login": "room", "broadcaster_user_name": "Room"}
TOM = {"user_id": "22", "user_login": "tom", "user_name": "Tom"}
BOB = {"user_id": "2", "user_login": "bob", "user_name": "Bob"}


def kept(name: str, event: dict[str, object]) -> list[Event]:
    body = {"subscription": {"id": "s1", "type": name, "version": "1"}, "event": event}
    came = from_webhook(HEADERS, json.dumps(body, indent=1).encode(), NOW)
    return without_people(parse_notification(came), PEOPLE)


def test_of_what_they_did_nothing_stays() -> None:
    assert kept("channel.follow", ROOM | BOB | {"followed_at": "2024-09-10T03:13:30Z"}) == []
    assert kept("some.new.type", ROOM | BOB) == []
    assert kept("channel.moderate", ROOM | {"action": "ban", "ban": BOB}) == []
    said = Said(parts=[words("x")], user_id="2", login="bob", name="Bob")
    assert kept("channel.chat.message", eventsub_event(said)) == []


def test_what_others_did_stays_without_their_names() -> None:
    moderator = {"moderator_user_id": "2", "moderator_user_login": "bob", "moderator_user_name": "Bob"}
    raw, act = kept("channel.unban", ROOM | TOM | moderator)
    assert (act.user_login, act.moderator_id, act.moderator_login) == ("tom", None, None)  # type: ignore[attr-defined]
    assert (raw.kind, raw.body) == ("notifications", None)  # type: ignore[attr-defined]
    train = ROOM | {"id": "t1", "level": 2, "top_contributions": [BOB | {"type": "bits", "total": 5}]}
    _, step = kept("channel.hype_train.progress", train)
    assert (step.level, step.top_contributions) == (2, None)  # type: ignore[attr-defined]


def test_who_is_not_named_changes_nothing() -> None:
    event = eventsub_event(Said(parts=[mention("Other"), words(" said bob")]))
    raw, chat = kept("channel.chat.message", event)
    assert json.loads(raw.body)["event"] == event  # type: ignore[attr-defined]
    assert chat.other_tags is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ('{"a":"BOB"}', True),
        (r'{"a":"x\\", "b":"bob"}', True),
        (r'{"a":"x \"bob\" y"}', False),
        ('{"a":"bobby"}', False),
        ('["2"]', True),
        ("", False),
        (None, False),
    ],
)
def test_a_name_is_a_whole_value(text: str | None, is_named: bool) -> None:
    assert names_somebody(text, PEOPLE) is is_named
