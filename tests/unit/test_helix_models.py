"""What Helix answers is read leniently: missing is None, and only ids are indispensable."""

from __future__ import annotations

import pytest

from collectors.helix_models import Stream, User, parse_stream, parse_user
from dashboard.instants import parse_instant

RAW = {
    "id": "42170724654",
    "user_id": "132954738",
    "user_login": "AWS",
    "user_name": "AWS",
    "game_id": "417752",
    "game_name": "Talk Shows & Podcasts",
    "type": "live",
    "title": "Howdy",
    "viewer_count": 20,
    "started_at": "2021-03-31T20:57:26Z",
    "language": "en",
    "tags": ["English"],
}


def test_a_stream_whole() -> None:
    assert parse_stream(RAW) == Stream(
        stream_id="42170724654",
        user_id="132954738",
        user_login="aws",
        user_display_name="AWS",
        viewer_count=20,
        game_id="417752",
        game_name="Talk Shows & Podcasts",
        title="Howdy",
        language="en",
        started_at=1_617_224_246_000_000,
        tags=("English",),
    )


@pytest.mark.parametrize("name", ["id", "user_id", "user_login"])
def test_a_stream_without_an_id_is_dropped(name: str) -> None:
    assert parse_stream({**RAW, name: ""}) is None
    assert parse_stream({key: value for key, value in RAW.items() if key != name}) is None


def test_what_is_missing_or_odd_is_not_told() -> None:
    bare = Stream(stream_id="1", user_id="2", user_login="a")
    raw = {"id": "1", "user_id": "2", "user_login": "a"}
    assert parse_stream(raw) == bare
    odd = {"viewer_count": True, "title": 3, "tags": None, "started_at": "soon", "game_id": ""}
    assert parse_stream(raw | odd) == bare


def test_an_empty_title_is_told_and_empty() -> None:
    stream = parse_stream({"id": "1", "user_id": "2", "user_login": "a", "title": ""})
    assert stream is not None
    assert stream.title == ""


def test_a_user_whole() -> None:
    raw = {"id": "1", "login": "TwitchDev", "display_name": "TwitchDev", "created_at": "2016-12-14T20:32:28Z"}
    assert parse_user(raw) == User(
        user_id="1",
        user_login="twitchdev",
        user_display_name="TwitchDev",
        created_at=1_481_747_548_000_000,
    )
    assert parse_user({"id": "1"}) is None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2021-03-10T15:04:21Z", 1_615_388_661_000_000),
        ("2021-03-10T15:04:21.123456789Z", 1_615_388_661_123_456),
        ("2021-03-10T17:04:21+02:00", 1_615_388_661_000_000),
        ("1970-01-01T00:00:01Z", None),
        ("2021-03-10T15:04:21", None),
        ("", None),
        (None, None),
        (12, None),
    ],
)
def test_instants(text: object, instant: int | None) -> None:
    assert parse_instant(text) == instant
