"""The callbacks of the Chatters page: only what changed is sent, and who may not see gets nothing."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from callbacks import chatters, chatters_capture, chatters_people, chatters_sessions
from dashboard.access import LOCAL, Access
from dashboard.config import Settings
from dashboard.errors import JobError
from dashboard.insights.chatters_model import Selection
from dashboard.services import Services
from tests.browser.chatters_fakes import WAVE_DAY, FakeChatters, capture
from tests.browser.fakes import FakeState

REQUEST = {
    "page": "p1",
    "seq": 1,
    "room": "",
    "scope": "",
    "grain": "month",
    "zoom": None,
    "traits": [],
    "last_days": None,
    "minutes": 10,
    "cohort": None,
    "picked": None,
    "session": "",
    "theme": "dark",
    "is_narrow": False,
    "tz": "Europe/Berlin",
}
STRANGER = Access("9", "stranger", "Stranger", rooms=frozenset({"elsewhere"}))


class FakeOrders:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refuses = ""

    def ask(self, room_id: str, source: str, access: Access, window_s: int | None = None) -> Any:
        if self.refuses:
            raise JobError(self.refuses)
        self.asked.append((room_id, source, window_s))
        return capture("c77", state="asked")

    def cancel(self, capture_id: str, access: Access) -> None:
        self.asked.append(("cancel", capture_id))


@pytest.fixture
def services(tmp_path: Path) -> Any:
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    parts: Any = {"chatters": FakeChatters(), "captures": FakeOrders()}
    return Services(settings=settings, store=None, state=FakeState(), live=None, **parts)  # type: ignore[arg-type]


def changed(answer: dict[str, Any]) -> set[str]:
    return {name for name, value in answer.items() if value is not no_update}


def wire(cursor: Any) -> Any:
    return json.loads(json.dumps(cursor))


def settled(services: Services, **asked: Any) -> dict[str, Any]:
    """The cursor once the browser shows the newest capture."""
    first = chatters.refresh(services, REQUEST | asked, None)
    again = chatters.refresh(services, REQUEST | asked | {"scope": "c:c1", "seq": 2}, wire(first["cursor"]))
    return wire(again["cursor"])


def test_the_first_answer_fills_every_part_and_chooses_the_newest_capture(services: Services) -> None:
    answer = chatters.refresh(services, REQUEST, None)
    assert set(chatters.OUTPUTS) - changed(answer) == set()
    assert answer["scope"] == {"scope": "c:c1", "seq": 1}
    assert answer["root"] == "chatters is-filled"
    assert answer["cursor"]["shown"] == "c1"
    assert answer["cursor"]["selection"] == Selection(capture_ids=("c1",)).to_payload()
    assert answer["cursor"]["is_busy"] is False


def test_a_second_look_asks_for_no_analysis_and_sends_nothing(services: Services) -> None:
    cursor = settled(services)
    before = services.chatters.analyses  # type: ignore[union-attr]
    answer = chatters.refresh(services, REQUEST | {"scope": "c:c1", "seq": 3}, cursor)
    assert changed(answer) <= {"cursor", "rooms", "session"}
    assert services.chatters.analyses == before  # type: ignore[union-attr]


def test_another_width_of_bars_sends_the_picture_and_no_cohorts(services: Services) -> None:
    cursor = settled(services)
    answer = chatters.refresh(services, REQUEST | {"scope": "c:c1", "grain": "year", "seq": 3}, cursor)
    assert {"chart", "summary"} <= changed(answer)
    assert not {"verdict", "cohorts", "top_days", "curve", "rooms"} & changed(answer)
    assert len(answer["chart"].data[0].x) == 18


def test_a_brush_narrows_the_question_and_is_told_to_the_style(services: Services) -> None:
    cursor = settled(services)
    zoomed = REQUEST | {"scope": "c:c1", "grain": "day", "zoom": [WAVE_DAY - 9, WAVE_DAY + 9], "seq": 3}
    answer = chatters.refresh(services, zoomed, cursor)
    assert answer["root"] == "chatters is-filled is-zoomed"
    assert len(answer["chart"].data[0].x) == 19
    assert answer["cursor"]["selection"]["start_day"] == WAVE_DAY - 9
    assert "cohorts" not in changed(answer)


@pytest.mark.parametrize("nonsense", [[5], [9, 3], ["a", "b"], {"a": 1}, [-4, 8], 7])
def test_nonsense_for_a_brush_is_no_brush(services: Services, nonsense: Any) -> None:
    answer = chatters.refresh(services, REQUEST | {"zoom": nonsense, "picked": nonsense}, None)
    assert answer["cursor"]["selection"]["start_day"] is None
    assert answer["root"] == "chatters is-filled"


def test_who_looks_at_the_newest_capture_goes_on_to_the_next(services: Services) -> None:
    cursor = settled(services)
    services.chatters.extra = [capture("c2")]  # type: ignore[union-attr]
    answer = chatters.refresh(services, REQUEST | {"scope": "c:c1", "seq": 3}, cursor)
    assert answer["scope"]["scope"] == "c:c2"
    older = chatters.refresh(services, REQUEST | {"scope": "c:c0", "seq": 3}, cursor)
    assert older["scope"] is no_update
    assert older["cursor"]["shown"] == "c0"


@pytest.mark.parametrize(
    ("mode", "root", "said"),
    [
        ("empty", "is-empty", "No capture of mothlight yet"),
        ("capturing", "is-waiting", ""),
        ("failed", "is-empty", "Twitch does not answer."),
        ("none", "is-none", "No channel of yours yet"),
    ],
)
def test_states_say_what_there_is_and_what_to_do(services: Services, mode: str, root: str, said: str) -> None:
    services.chatters.mode = mode  # type: ignore[union-attr]
    answer = chatters.refresh(services, REQUEST, None)
    assert answer["root"] == f"chatters {root}"
    assert said in str(answer["notice"])
    assert answer["verdict"] is no_update


def test_a_session_can_be_looked_at_where_nothing_was_captured(services: Services) -> None:
    services.chatters.sessions.create(LOCAL, ["c1"], "Raid night")  # type: ignore[union-attr, call-arg, arg-type]
    services.chatters.mode = "empty"  # type: ignore[union-attr]
    answer = chatters.refresh(services, REQUEST | {"scope": "s:s1"}, None)
    assert (answer["root"], answer["notice"]) == ("chatters is-filled", [])
    assert answer["cursor"]["selection"]["session_id"] == "s1"
    assert answer["cursor"]["shown"] == ""


def test_while_something_is_captured_the_page_is_busy(services: Services) -> None:
    services.chatters.mode = "recapturing"  # type: ignore[union-attr]
    answer = chatters.refresh(services, REQUEST, None)
    assert answer["cursor"]["is_busy"] is True
    assert "age known of 830 of 1,412" in str(answer["progress"])
    assert answer["root"] == "chatters is-filled"


def test_a_room_of_others_is_not_shown(services: Services) -> None:
    object.__setattr__(services, "current_access", lambda: STRANGER)
    answer = chatters.refresh(services, REQUEST | {"room": "secret"}, None)
    assert answer["root"] == "chatters is-none"
    assert "Not one of your channels" in str(answer["notice"])
    assert changed(answer) == {"root", "notice", "cursor"}


def test_a_known_error_says_what_is_safe_and_heals(services: Services) -> None:
    cursor = settled(services)
    services.chatters.mode = "error"  # type: ignore[union-attr]
    failed = chatters.refresh(services, REQUEST | {"scope": "c:c1", "seq": 3}, cursor)
    assert changed(failed) == {"cursor", "notice"}
    assert "took longer than 30 s" in str(failed["notice"])
    assert failed["cursor"]["retry_ms"] == chatters.RETRY_AFTER_ERROR_MS
    services.chatters.mode = "loaded"  # type: ignore[union-attr]
    healed = chatters.refresh(services, REQUEST | {"scope": "c:c1", "seq": 4}, wire(failed["cursor"]))
    assert healed["notice"] == []


def test_an_unknown_error_has_a_reference_and_no_details(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    services.chatters.mode = "crash"  # type: ignore[union-attr]
    with caplog.at_level(logging.ERROR):
        answer = chatters.refresh(services, REQUEST, None)
    assert "a secret detail" not in str(answer["notice"])
    assert "Reference" in str(answer["notice"])
    assert "ZeroDivisionError" in caplog.text


def test_an_order_names_room_source_and_window(services: Services) -> None:
    watch, said, nonce = chatters_capture.order(
        services, {"source": "connected", "room": "", "at": 5}, 30, {"room_id": "100"}, None
    )
    assert watch == {"capture_id": "c77", "at": 5}
    assert (said, bool(nonce)) == ("", True)
    chatters_capture.order(services, {"source": "spoke", "room": "101"}, 30, {"room_id": "100"}, None)
    chatters_capture.order(services, {"cancel": "c77"}, 30, None, None)
    assert services.captures.asked == [  # type: ignore[union-attr]
        ("100", "connected", None),
        ("101", "spoke", 1800),
        ("cancel", "c77"),
    ]


def test_a_refused_order_is_told_and_watched_by_nobody(services: Services) -> None:
    services.captures.refuses = "mothlight: The login does not allow it."  # type: ignore[union-attr]
    watch, said, _ = chatters_capture.order(services, {"source": "connected"}, 10, {"room_id": "100"}, None)
    assert watch is no_update
    assert said == "mothlight: The login does not allow it."


def test_what_is_captured_goes_into_the_open_session(services: Services) -> None:
    sessions: Any = services.chatters.sessions  # type: ignore[union-attr]
    sessions.create(LOCAL, [], "Raid night")
    chatters_capture.order(services, {"source": "connected"}, 10, {"room_id": "100"}, "s1")
    assert sessions.kept["s1"].capture_ids == ("c77",)


def test_the_table_gets_columns_of_what_was_picked(services: Services) -> None:
    asked = {"selection": Selection(capture_ids=("c1",)).to_payload(), "pick": {"cohort": 1}}
    columns, words, links = chatters_people.accounts(services, asked)
    assert columns["row_count"] == 31
    assert words[1].children == "Show all"
    assert "%22cohort%22%3A1" in links[0].href
    bar = {"start": WAVE_DAY, "end": WAVE_DAY + 2}
    _, words, _ = chatters_people.accounts(services, asked | {"pick": bar})
    assert words[0].children.endswith("accounts, created 2–4 Nov 2026")
    everybody, words, _ = chatters_people.accounts(services, asked | {"pick": None})
    assert everybody["row_count"] == 1398
    assert len(words) == 1


def test_a_bar_narrows_the_brush_and_a_cohort_is_listed_whole() -> None:
    brushed = Selection(capture_ids=("c1",), start_day=100, end_day=900, last_days=30)
    bar = chatters_people.picked(brushed, {"start": 200, "end": 230})
    assert (bar.start_day, bar.end_day, bar.cohort) == (200, 230, None)
    cohort = chatters_people.picked(brushed, {"cohort": 2})
    assert (cohort.start_day, cohort.end_day, cohort.last_days, cohort.cohort) == (None, None, None, 2)
    assert chatters_people.picked(brushed, {"start": "x", "cohort": -1}) == brushed


def test_one_side_of_a_comparison_is_listed(services: Services) -> None:
    pick = {"side": "left", "shown": "c1", "other": "c0"}
    columns, words, _ = chatters_people.accounts(services, {"selection": {}, "pick": pick})
    assert words[0].children == "31 accounts that left"
    assert columns["row_count"] == 31


def test_the_drawer_opens_with_one_account(services: Services) -> None:
    is_open, body = chatters_people.account(services, {"user_id": "700001", "tz": "UTC"})
    assert is_open is True
    assert "old_2 → old_3" in str(body)


def test_a_comparison_waits_for_two_captures(services: Services) -> None:
    asked = {"other": "", "shown": "c1", "is_possible": True, "theme": "dark", "tz": "UTC"}
    assert "Choose a second capture" in str(chatters_people.compare(services, asked))
    both = chatters_people.compare(services, asked | {"other": "c0"})
    assert "212 came and 96 left" in str(both)


def test_a_session_is_made_saved_renamed_and_deleted(services: Services) -> None:
    kept: Any = services.chatters.sessions.kept  # type: ignore[union-attr]
    cursor = {"shown": "c1"}
    made = chatters_sessions.order(services, {"action": "create", "name": ""}, None, cursor)
    assert made[0] == [{"label": "Unnamed · not saved", "value": "s1"}]
    assert (made[1], kept["s1"].capture_ids) == ("s1", ("c1",))
    chatters_sessions.order(services, {"action": "save", "name": "Raid night"}, "s1", cursor)
    assert (kept["s1"].is_saved, kept["s1"].name) == (True, "Raid night")
    chatters_sessions.order(services, {"action": "rename", "name": "Friday"}, "s1", cursor)
    assert kept["s1"].name == "Friday"
    _, _, _, said, _ = chatters_sessions.order(services, {"action": "rename", "name": " "}, "s1", cursor)
    assert (said, kept["s1"].name) == ("Type a name first.", "Friday")
    chatters_sessions.order(services, {"action": "remove", "capture": "c1"}, "s1", cursor)
    chatters_sessions.order(services, {"action": "add"}, "s1", {"shown": "c0"})
    assert kept["s1"].capture_ids == ("c0",)
    _, opened, _, said, _ = chatters_sessions.order(services, {"action": "delete"}, "s1", cursor)
    assert (opened, said, kept) == (None, "Deleted. Its captures are still there.", {})


def test_forgetting_leaves_what_is_saved(services: Services) -> None:
    sessions: Any = services.chatters.sessions  # type: ignore[union-attr]
    sessions.create(LOCAL, [], "one")
    sessions.create(LOCAL, [], "two")
    sessions.save("s1", LOCAL)
    _, opened, _, said, _ = chatters_sessions.order(services, {"action": "purge"}, "s2", None)
    assert (opened, said, set(sessions.kept)) == (None, "1 forgotten.", {"s1"})


def test_a_session_that_is_over_is_told(services: Services) -> None:
    _, _, _, said, _ = chatters_sessions.order(services, {"action": "save", "name": "x"}, "gone", None)
    assert "no such session" in said
    assert "no such session" in chatters_sessions.opened(services, "gone")
