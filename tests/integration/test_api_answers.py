"""What the API answers: rows, dates, filters, pages, and the cases that broke others."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from collectors.irc_events import to_events
from dashboard.events import Bits, Event, Instant, RoomState, SubGift
from dashboard.storage.compaction import Compactor
from dashboard.storage.ingest import Ingest
from tests.api_parts import Api, put
from tests.storage_events import DAY, T0, message, messages, observation

MIDNIGHT = T0 // DAY * DAY
"""2023-11-14T00:00:00Z."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def common(number: int, room: str = "alpha") -> dict[str, Any]:
    at = Instant(T0 + number * 1_000_000)
    return {
        "event_id": f"e{number}",
        "source": "irc",
        "room_login": room,
        "sent_at": at,
        "received_at": at,
    }


def irc(line: str, received_at: int = T0) -> list[Event]:
    return list(to_events(line, Instant(received_at)))


def test_an_answer_has_rows_pagination_and_what_was_looked_at(api: Api, tmp_path: Path) -> None:
    put(tmp_path, messages(1, 3))

    answer = api.get("messages?room-name=Alpha&start-date=2023-11-14&limit=2").json

    assert [row["event_id"] for row in answer["data"]] == ["m3", "m2"]
    assert answer["data"][0]["sent_at"] == "2023-11-14T22:13:20.003000Z"
    assert answer["data"][0]["is_mod"] is None
    assert answer["pagination"]["limit"] == 2
    assert answer["meta"] == {
        "resource": "messages",
        "window": {"start": "2023-11-14T00:00:00.000000Z", "end": None},
        "row_count": 2,
        "fresh_at": "2023-11-14T22:13:20.003050Z",
    }
    rest = api.get(
        f"messages?room-name=Alpha&start-date=2023-11-14&cursor={answer['pagination']['cursor']}"
    ).json
    assert [row["event_id"] for row in rest["data"]] == ["m1"]
    assert rest["pagination"]["cursor"] is None


def test_the_old_addresses_and_the_aliases_answer_the_same(api: Api, tmp_path: Path) -> None:
    put(tmp_path, messages(1, 3))
    assert api.client.get("/api/messages").data == api.get("messages").data
    for name, alias in (("subscriptions", "subs"), ("mysterygifts", "gifts")):
        assert api.client.get(f"/api/{alias}").data == api.get(name).data == api.get(alias).data


def test_a_same_day_range_finds_that_days_messages(api: Api, tmp_path: Path) -> None:
    ends = [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + DAY - 1, MIDNIGHT + DAY]
    put(tmp_path, [message(n, at=at) for n, at in enumerate(ends)])
    for day in ("2023-11-14", "14.11.2023", "14/11/2023", "11-14-2023", "20231114"):
        assert api.ids(f"messages?start-date={day}&end-date={day}") == ["m2", "m1"], day


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2023-11-14T22:13:20.002Z", "2023-11-14T22:13:20.003000Z", ["m3", "m2"]),
        ("2023-11-14T23:13:20.002+01:00", "2023-11-14T23:13:20.003+01:00", ["m3", "m2"]),
        ("2023-11-14 22:13:20.0025", None, ["m4", "m3"]),
        (None, "2023-11-14T22:13:20.001999999Z", ["m1"]),
    ],
)
def test_instants_are_included_at_both_ends(
    api: Api, tmp_path: Path, start: str | None, end: str | None, expected: list[str]
) -> None:
    put(tmp_path, messages(1, 4))
    given = {"start-date": start, "end-date": end}
    # The plus is left unescaped on purpose: it arrives as a space.
    query = "&".join(f"{name}={value.replace(' ', '%20')}" for name, value in given.items() if value)
    assert api.ids(f"messages?{query}") == expected


@pytest.mark.parametrize(
    "date",
    [
        "2023-02-30",
        "31.04.2023",
        "13-32-2023",
        "2023-13-01",
        "1969-12-31",
        "now",
        "",
        "2023-11-14T25:00",
        "14/11/23",
        "２０２３-11-14",
        "2023-11-14T22:13:20+99:00",
        "9999-99-99",
        "2023-W46-2",
    ],
)
def test_impossible_dates_are_refused_by_name(api: Api, date: str) -> None:
    for name in ("start-date", "end-date"):
        answer = api.get(f"messages?{name}={quote(date)}")
        assert (answer.status_code, answer.json["error"]) == (400, "bad_request")
        assert answer.json["message"].startswith(name)


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=0",
        "limit=abc",
        "limit=1.5",
        "limit=99999999999",
        "limit=",
        "user-id=abc",
        "user-id=-1",
        "user-name=%27%20or%201%3D1",
        "room-name=",
        "room-id=1e3",
        "order=up",
        "format=xml",
        "cursor=x",
        "q=",
        "q=%22open",
        "q=%00",
        "page=2",
        "limit=1&limit=2",
        "start-date=2023-11-15&end-date=2023-11-14",
        "limit=20000",
        "state=current",
    ],
)
def test_what_is_wrong_is_refused_by_name(api: Api, query: str) -> None:
    answer = api.get(f"messages?{query}")
    assert answer.status_code == 400
    assert answer.json["error"] == "bad_request"
    assert query.split("=", maxsplit=1)[0] in answer.json["message"]


def test_a_join_in_a_text_is_text(api: Api, tmp_path: Path) -> None:
    line = (
        "@id=j1;room-id=1;tmi-sent-ts=1700000000000;user-id=9 :fox!fox@fox PRIVMSG #alpha :I JOIN #beta now"
    )
    put(tmp_path, irc(line), messages(1, 2))
    assert [row["text"] for row in api.data("messages?q=join")] == ["I JOIN #beta now"]
    assert api.data("userlist") == []
    assert api.ids("messages?q=%22%20JOIN%20%22") == ["j1"]


def test_a_user_filter_on_bits(api: Api, tmp_path: Path) -> None:
    put(
        tmp_path,
        [Bits(**common(1), bits=100, user_id="7", user_login="seven")],
        [Bits(**common(2), bits=50, user_id="8", user_login="eight")],
    )
    assert api.ids("bits?user-id=8") == api.ids("bits?user-name=Eight") == ["e2"]
    assert api.ids("bits?user-id=8&user-name=seven") == []


def test_two_people_in_one_second_are_both_kept(api: Api, tmp_path: Path) -> None:
    lines = [
        f"@id={who};room-id=1;tmi-sent-ts=1700000000000;user-id={n} :{who}!{who}@{who} PRIVMSG #alpha :hello"
        for n, who in enumerate(("ann", "bob"), 1)
    ]
    put(tmp_path, irc(lines[0]) + irc(lines[1]))
    assert sorted(api.ids("messages")) == ["ann", "bob"]
    first = api.get("messages?limit=1").json
    rest = api.get(f"messages?limit=1&cursor={first['pagination']['cursor']}").json
    assert {first["data"][0]["user_login"], rest["data"][0]["user_login"]} == {"ann", "bob"}


def test_a_partial_roomstate_leaves_other_modes_as_they_were(api: Api, tmp_path: Path) -> None:
    full = (
        "@emote-only=0;followers-only=10;r9k=0;room-id=1;slow=30;subs-only=0 :tmi.twitch.tv ROOMSTATE #alpha"
    )
    partial = "@room-id=1;slow=5 :tmi.twitch.tv ROOMSTATE #alpha"
    put(tmp_path, irc(full, T0), irc(partial, T0 + 1_000_000))
    put(tmp_path, [RoomState(**common(9, "beta"), is_emote_only=True)])

    newest = api.data("roomstates?room-name=alpha")[0]
    assert (newest["slow_s"], newest["followers_only_min"]) == (5, None)

    alpha, beta = api.data("roomstates?state=current")
    assert (alpha["room_login"], alpha["slow_s"], alpha["followers_only_min"]) == ("alpha", 5, 10)
    assert (alpha["is_emote_only"], alpha["changed_at"]) == (False, "2023-11-14T22:13:21.000000Z")
    assert (beta["is_emote_only"], beta["slow_s"]) == (True, None)
    [before] = api.data("roomstates?state=current&end-date=2023-11-14T22:13:20Z")
    assert before["slow_s"] == 30
    page = api.get("roomstates?state=current&limit=1").json
    [second] = api.data(f"roomstates?state=current&limit=1&cursor={page['pagination']['cursor']}")
    assert second["room_login"] == "beta"


def test_a_message_whose_tags_lack_user_type(api: Api, tmp_path: Path) -> None:
    line = "@badges=;id=u1;room-id=1;tmi-sent-ts=1700000000000;user-id=9 :fox!fox@fox PRIVMSG #alpha :hi"
    put(tmp_path, irc(line))
    [row] = api.data("messages?user-name=fox")
    assert (row["event_id"], row["user_type"], row["text"]) == ("u1", None, "hi")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("cafe", ["m1", "m2"]),
        ("CAFÉ", ["m1", "m2"]),
        ("noir cafe", ["m1"]),
        ('"noir cafe"', []),
        ('"café noir"', ["m1"]),
        ("100%", ["m3"]),
        ("_", ["m3"]),
        ("'; drop", ["m4"]),
        ("ура", ["m5"]),
        ("笑", ["m6"]),
    ],
)
def test_full_text_finds_all_words_whatever_case_and_accents(
    api: Api, tmp_path: Path, words: str, expected: list[str]
) -> None:
    texts = ["Café noir", "cafeteria", "100% a_b", "'; drop table x; --", "УРА!", "それは笑"]
    put(tmp_path, [message(n, text=text) for n, text in enumerate(texts, 1)])
    assert sorted(api.ids(f"messages?q={quote(words)}")) == expected


def test_pages_are_complete_in_either_order_whatever_files_the_rows_stand_in(
    api: Api, tmp_path: Path
) -> None:
    # Many of one instant, over several files and rooms, and some that came in twice.
    group = [message(n, room="ab"[n % 2], at=T0 + n // 7) for n in range(60)]
    put(tmp_path, group[:20], group[15:45], group[40:])
    for when in ("hot", "compacted"):
        if when == "compacted":
            Compactor(tmp_path).run(everything=True, grace_s=0)
        for order, wanted in (("desc", -1), ("asc", 1)):
            told = list(walk(api, f"messages?order={order}&limit=7"))
            assert sorted(told) == sorted(event.event_id for event in group)
            ranks = [(group[int(i[1:])].sent_at, i) for i in told]
            assert ranks == sorted(ranks)[::wanted]


def walk(api: Api, path: str, between: Callable[[], None] = lambda: None) -> Iterator[str]:
    cursor = ""
    while True:
        answer = api.get(path + (f"&cursor={cursor}" if cursor else "")).json
        yield from (row["event_id"] for row in answer["data"])
        cursor = answer["pagination"]["cursor"]
        if cursor is None:
            return
        between()


def test_pages_are_complete_while_events_arrive_and_files_are_merged(api: Api, tmp_path: Path) -> None:
    put(tmp_path, *(messages(n * 20, n * 20 + 19) for n in range(20)))
    stop = threading.Event()

    def disturb() -> None:
        compactor = Compactor(tmp_path)
        with Ingest(tmp_path, "other") as ingest:
            for number in itertools.count(1000):
                if stop.is_set():
                    return
                ingest.put([message(number)])
                ingest.flush()
                compactor.run(everything=number % 5 == 0)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        told = list(walk(api, "messages?limit=23&end-date=2023-11-14T22:13:20.900Z"))
    finally:
        stop.set()
        thread.join()
    assert told == [f"m{number}" for number in reversed(range(400))]


def test_a_cursor_belongs_to_its_question(api: Api, tmp_path: Path) -> None:
    put(tmp_path, messages(1, 5), messages(6, 9, room="beta"))
    cursor = api.get("messages?room-name=alpha&limit=2").json["pagination"]["cursor"]
    assert api.ids(f"messages?room-name=alpha&limit=1&cursor={cursor}") == ["m3"]
    for path in ("messages?", "messages?room-name=beta&", "bits?room-name=alpha&", "rooms?room-name=alpha&"):
        assert api.get(f"{path}cursor={cursor}").status_code == 400
    changed = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    assert api.get(f"messages?room-name=alpha&cursor={changed}").status_code == 400


def test_what_arrived_less_than_two_seconds_ago_is_told(api: Api, tmp_path: Path) -> None:
    with Ingest(tmp_path) as ingest:
        ingest.put([message(1)])
        assert ingest.flush(2)
        assert api.ids("messages") == ["m1"]


def test_rooms_tell_what_was_seen_and_count_mirrored_messages_where_they_were_written(
    api: Api, tmp_path: Path
) -> None:
    put(
        tmp_path,
        [message(1, room_id="1"), message(2, room_id="1", source_room_id="2")],
        [message(3, room="beta", room_id="2", at=T0 + DAY)],
        [observation("joined", 5, room="quiet")],
    )
    for _ in range(2):  # The second time out of what is remembered of each file.
        alpha, beta, quiet = api.data("rooms")
        assert (alpha["room_login"], alpha["room_id"], alpha["message_count"]) == ("alpha", "1", 1)
        assert (alpha["first_seen_at"], alpha["last_seen_at"]) == (
            "2023-11-14T22:13:20.001000Z",
            "2023-11-14T22:13:20.002000Z",
        )
        assert (beta["message_count"], quiet["message_count"]) == (1, 0)
    assert [row["room_login"] for row in api.data("rooms?room-id=2")] == ["beta"]
    assert [row["room_login"] for row in api.data("rooms?start-date=2023-11-15")] == ["beta"]
    [alpha] = api.data("rooms?room-name=alpha&end-date=2023-11-14T22:13:20.001Z")
    assert alpha["message_count"] == 1
    first = api.get("rooms?limit=2").json
    assert [row["room_login"] for row in api.data(f"rooms?cursor={first['pagination']['cursor']}")] == [
        "quiet"
    ]
    Compactor(tmp_path).run(everything=True, grace_s=0)
    assert [row["message_count"] for row in api.data("rooms")] == [1, 1, 0]


def test_people_are_told_once_with_all_their_names(api: Api, tmp_path: Path) -> None:
    put(
        tmp_path,
        [message(1, user_id="7", user_login="old_name"), message(2, user_id="8", user_login="other")],
        [message(3, user_id="7", user_login="new_name", user_display_name="NewName", room="beta")],
        [message(4, user_id=None, user_login="nameless")],
    )
    for query in ("user-name=OLD_name", "user-name=new_name", "user-id=7"):
        [person] = api.data(f"users?{query}")
        assert person == {
            "user_id": "7",
            "user_login": "new_name",
            "user_display_name": "NewName",
            "first_seen_at": "2023-11-14T22:13:20.001000Z",
            "last_seen_at": "2023-11-14T22:13:20.003000Z",
            "message_count": 2,
            "room_count": 2,
            "logins": ["new_name", "old_name"],
        }
    assert [p["user_login"] for p in api.data("users?user-name=nameless")] == ["nameless"]
    assert api.data("users") == []  # Nobody wrote in the last day.
    assert api.get("users").json["meta"]["window"]["start"] is not None
    everybody = api.get("users?start-date=2023-11-14&limit=2").json
    rest = api.data(f"users?start-date=2023-11-14&limit=2&cursor={everybody['pagination']['cursor']}")
    logins = [p["user_login"] for p in everybody["data"] + rest]
    assert logins == ["new_name", "other", "nameless"]
    assert len(api.data("users?room-name=beta&start-date=2023-11-14")) == 1


def test_gifts_are_found_by_who_got_them(api: Api, tmp_path: Path) -> None:
    gifts = [
        SubGift(**common(n), user_login="giver", recipient_id=str(n), recipient_login=f"got{n}")
        for n in (1, 2)
    ]
    put(tmp_path, gifts)
    assert api.ids("subgifts?recipient-name=GOT2") == api.ids("subgifts?recipient-id=2") == ["e2"]


def test_every_resource_answers_an_empty_lake(api: Api) -> None:
    from dashboard.api.resources import all_resources

    for resource in all_resources():
        answer = api.get(resource.name)
        assert answer.status_code == 200, (resource.name, answer.text)
        if resource.form != "health":
            assert answer.json["data"] == []


def test_kinds_without_a_name_of_their_own_are_told_too(api: Api, tmp_path: Path) -> None:
    put(tmp_path, [observation("joined", 1)])
    assert api.ids("observations") == ["o-irc-alpha-joined-1"]


def test_health_tells_ages_and_versions_and_nothing_secret(api: Api, tmp_path: Path) -> None:
    put(tmp_path, messages(1, 1))
    api.state.write_status("collector", {"token": "hunter2", "stopped_at": None})
    health = api.get("health").json
    assert health["status"] == "ok"
    assert health["parts"]["collector"]["is_alive"] is True
    assert health["freshness"]["chat_messages"]["newest_received_at"] == "2023-11-14T22:13:20.001050Z"
    assert "hunter2" not in api.get("health").text
