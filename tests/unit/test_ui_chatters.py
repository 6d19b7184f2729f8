"""The Chatters page's words and component trees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.access import LOCAL
from dashboard.events import Instant, now_us
from dashboard.insights.chatters_model import RoomChoice, Selection
from dashboard.insights.chatters_people_model import Sighting
from dashboard.ui import (
    chatters_compare_view,
    chatters_people_view,
    chatters_rooms_view,
    chatters_sessions_view,
    chatters_text,
    chatters_verdict_view,
    chatters_view,
)
from tests.browser.chatters_fakes import FakeSessions, analysis, capture, cohorts, comparison, detail, few

UTC = ZoneInfo("UTC")
ROOM = RoomChoice("100", "mothlight", "owner", True, 1502, "Hollow Knight", True)


def words_of(component: Any) -> str:
    if component is None:
        return ""
    if isinstance(component, str | int | float):
        return str(component)
    if isinstance(component, list | tuple):
        return " ".join(filter(None, map(words_of, component)))
    return words_of(getattr(component, "children", None))


def find(component: Any, **wanted: str) -> list[Any]:
    """Every component below that has these attributes."""
    found = []
    if isinstance(component, list | tuple):
        for child in component:
            found += find(child, **wanted)
        return found
    if not hasattr(component, "to_plotly_json"):
        return found
    props = component.to_plotly_json()["props"]
    if all(
        name.replace("_", "-") in props and props[name.replace("_", "-")] == value
        for name, value in wanted.items()
    ):
        found.append(component)
    return found + find(getattr(component, "children", None), **wanted)


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-11-02", "2026-11-02", "2 Nov 2026"),
        ("2026-11-02", "2026-11-04", "2–4 Nov 2026"),
        ("2026-10-30", "2026-11-02", "30 Oct – 2 Nov 2026"),
        ("2025-12-30", "2026-01-02", "30 Dec 2025 – 2 Jan 2026"),
    ],
)
def test_days_in_words(start: str, end: str, words: str) -> None:
    assert chatters_text.days_words(day(start), day(end)) == words


def test_numbers_in_words() -> None:
    assert [chatters_text.q_words(q) for q in (1e-18, 0.0042, 0.05, 0.0)] == [
        "q = 1e-18",
        "q = 0.004",
        "q = 0.050",
        "q < 1e-300",
    ]
    assert [chatters_text.expected_words(e) for e in (2.1, 0.04, 0.001, 1203.4)] == [
        "2.1",
        "0.04",
        "0",
        "1,203",
    ]
    assert [chatters_text.age_words(d) for d in (None, 0, 1, 59, 60, 1826)] == [
        "not known yet",
        "less than a day",
        "1 day",
        "59 days",
        "2 months",
        "4 y 11 m",
    ]
    assert [chatters_text.share_words(s) for s in (None, 0.004, 0.97, 0.0)] == ["–", "0.4 %", "97 %", "0 %"]


def test_the_verdict_says_who_was_tested_and_of_how_many_the_age_is_unknown() -> None:
    told = analysis()
    words = words_of(chatters_verdict_view.verdict(told, now_us(), UTC))
    assert "2 unusual cohorts" in words
    assert "1,412 accounts. Tested: all accounts, 1,398 of known age; age not known yet of 14." in words
    assert "3 well-known service accounts are kept apart" in words
    assert "Connected is not watching" in words
    assert "is-unusual" in chatters_verdict_view.verdict_class(told)
    assert "bot" not in words.lower()


def test_too_little_is_said_as_such() -> None:
    told = few(Selection())
    assert chatters_verdict_view.verdict_title(told) == "Too few to say"
    assert "is-few" in chatters_verdict_view.verdict_class(told)
    assert "is-usual" in chatters_verdict_view.verdict_class(replace(told, is_enough=True))


def test_who_spoke_is_not_called_connected() -> None:
    told = replace(analysis(), source="spoke", captures=(capture(source="spoke", window_s=600),))
    words = words_of(chatters_verdict_view.verdict(told, now_us(), UTC))
    assert "spoke in the last 10 min" in words
    assert "Connected is not watching" not in words


def test_a_cohort_shows_its_figures_its_evidence_and_what_is_not_known() -> None:
    first, _ = chatters_verdict_view.cohorts(cohorts(), picked=None)
    words = words_of(first)
    assert "2 Nov 2026 q = 1e-18 31 created then 2.1 expected 15× the usual 2 % of the crowd" in words
    assert "Have not spoken 30 of 31 (84–99 %); of the others 61 %" in words
    assert "Not known: followed, twitch's own label" in words
    assert "bot" not in words.lower()
    (button,) = find(first, data_chatterspick="1")
    assert button.children == "List the 31 accounts"
    again, _ = chatters_verdict_view.cohorts(cohorts(), picked=1)
    assert find(again, data_chatterspick="1")[0].children == "Accounts listed below"


def test_a_filter_that_cannot_be_known_is_off_and_says_why() -> None:
    told = analysis()
    options = {o["value"]: o for o in chatters_view.trait_options(told.trait_counts, told.trait_missing)}
    assert options["follows"]["disabled"] is True
    assert options["follows"]["label"].title == "follows are read only with the owner's login"
    assert words_of(options["silent"]["label"]).split() == ["Silent", "812"]
    assert chatters_view.traits_why(told.trait_missing).startswith("Follows: ")


def test_a_room_that_cannot_be_captured_has_its_button_off_and_the_reason_in_words() -> None:
    closed = replace(ROOM, can_list_connected=False, why_not="Only its moderators may.")
    rows = chatters_rooms_view.rooms([ROOM, closed], "mothlight", 30, now_us(), UTC)
    first, second = (find(row, data_chatterscapture="connected")[0] for row in rows)
    assert (first.disabled, second.disabled) == (False, True)
    assert "Only its moderators may." in words_of(rows[1])
    assert words_of(find(rows[0], data_chatterscapture="spoke")[0]) == "Spoke, 30 min"
    assert find(rows[0], data_chatterscapture="spoke")[0].disabled is False


def test_progress_counts_and_can_be_cancelled() -> None:
    row = chatters_rooms_view.progress(capture("c9", state="listing", listed_count=2000, told_count=4000))
    assert "Reading who is there 2,000 of about 4,000 people" in words_of(row)
    assert find(row, data_chatterscancel="c9")[0].disabled is False
    assert find(row, max="1")[0].value == "0.5000"
    ageing = chatters_rooms_view.progress(
        capture("c9", state="ageing", listed_count=100, known_count=25, is_cancel_wanted=True)
    )
    assert "Stopping age known of 25 of 100" in words_of(ageing)
    assert find(ageing, data_chatterscancel="c9")[0].disabled is True
    asked = chatters_rooms_view.progress(capture("c9", state="asked"))
    assert not hasattr(find(asked, aria_label="Capture of mothlight")[0], "value")


def test_a_failed_capture_says_what_failed_and_what_is_safe() -> None:
    failed = capture("c8", state="failed", error="Twitch does not answer.")
    words = words_of(chatters_rooms_view.notices(ROOM, failed, now_us(), UTC, is_empty=True, is_busy=False))
    assert "failed. Twitch does not answer." in words
    assert "not shown as everybody" in words
    assert "No capture of mothlight yet" in words
    busy = chatters_rooms_view.notices(ROOM, None, now_us(), UTC, is_empty=True, is_busy=True)
    assert busy == []


def test_only_complete_captures_can_be_looked_at_or_compared() -> None:
    done, other = capture("c1"), capture("c0")
    lines = [capture("c9", state="listing"), done, capture("c7", source="spoke", window_s=600), other]
    scopes = chatters_rooms_view.scope_options(lines, [], now_us(), UTC)
    assert [option["value"] for option in scopes] == ["c:c1", "c:c7", "c:c0"]
    compared = chatters_compare_view.options(lines, done, now_us(), UTC)
    assert [option["value"] for option in compared] == ["c0"]
    assert chatters_compare_view.options(lines, None, now_us(), UTC) == []


def test_the_table_marks_three_renames_and_sorts_by_creation() -> None:
    columns = {column.get("field") or column["colId"]: column for column in chatters_people_view.columns()}
    assert columns["rename_count"]["cellClassRules"] == {"cell-marked": "params.value >= 3"}
    assert columns["created_s"]["sort"] == "desc"
    assert list(columns)[:3] == ["user_login", "user_display_name", "created_s"]


def test_exports_carry_the_selection() -> None:
    links = chatters_people_view.exports(Selection(capture_ids=("c1",), cohort=1))
    assert [link.href.split("?")[0] for link in links] == [
        "/chatters/export/accounts.csv",
        "/chatters/export/accounts.json",
        "/chatters/export/aggregates.csv",
        "/chatters/export/aggregates.json",
        "/chatters/export/evidence.html",
    ]
    assert "%22cohort%22%3A1" in links[0].href
    sides = find(chatters_people_view.side_exports("c1", "c 0", "left"), className="export-link")
    assert [link.href.partition("?")[0].rpartition("/")[2] for link in sides] == [
        "accounts.csv",
        "accounts.json",
        "comparison.csv",
        "comparison.json",
    ]
    assert sides[0].href == "/chatters/compare/accounts.csv?first=c1&second=c+0&side=left"


def test_an_account_shows_its_names_newest_first_and_its_timeline() -> None:
    parts = chatters_people_view.detail(detail("700001"), now_us(), UTC)
    words = words_of(parts)
    assert words.index("old_2 → old_3, shown as Old_2 → Old_3") < words.index("old_0 → old_1")
    assert "many renames" in words
    assert "Id 700001" in words
    assert "Earlier ones are not shown." in words
    without = replace(detail("1"), renames=(), timeline=(), created_at=None, age_days=None)
    assert "No change of name was noticed." in words_of(chatters_people_view.detail(without, now_us(), UTC))


def test_a_list_of_who_spoke_says_that_readers_are_not_in_it() -> None:
    assert "only reads" not in chatters_verdict_view.tested(analysis())
    spoke = replace(analysis(), source="spoke")
    assert "Who only reads is not in this list." in chatters_verdict_view.tested(spoke)


def test_lists_in_a_row_are_one_row_of_the_timeline() -> None:
    noon = Instant(now_us() // 86_400_000_000 * 86_400_000_000 + 43_200_000_000)
    minutes = (("capture", 0), ("capture", 5), ("message", 7), ("message", 8), ("capture", 10))
    timeline = tuple(
        Sighting(Instant(noon - at * 60_000_000), category, "moth", "Seen") for category, at in minutes
    )
    told = replace(detail("1"), timeline=timeline, is_timeline_cut=False)
    (rows,) = find(chatters_people_view.detail(told, noon, UTC), className="detail-timeline")
    assert [words_of(row) for row in rows.children] == [
        "Seen, 2 lists in a row moth 11:55 – 12:00",
        "Seen moth 11:53",
        "Seen moth 11:52",
        "Seen moth 11:50",
    ]


def test_a_comparison_counts_three_sides_and_lists_each() -> None:
    found = comparison(capture("c0"), capture("c1"))
    parts = chatters_compare_view.comparison(found, theme_name="dark", now=now_us(), tz=UTC)
    words = words_of(parts)
    assert "Came 212 half younger than 13 months; not known of 4" in words
    assert [find(parts, data_chattersside=side) != [] for side in ("came", "left", "stayed")] == [True] * 3
    assert "capture again" in words_of(chatters_compare_view.nothing(False)).lower()


def test_a_session_says_until_when_and_what_is_in_it() -> None:
    sessions = FakeSessions()
    line = sessions.create(LOCAL, ["c1"], "Raid night")
    now = line.used_at
    words = words_of(chatters_sessions_view.body(line, capture("c1"), now, UTC))
    assert "Not saved: gone in 24 h" in words
    parts = chatters_sessions_view.body(line, capture("c1"), now, UTC)
    assert find(parts, data_session="add")[0].disabled is True
    assert (
        "Delete the session “Raid night”?"
        in find(parts, data_session="delete")[0].to_plotly_json()["props"]["data-confirm"]
    )
    saved = sessions.save(line.session_id, LOCAL)
    assert "Saved; it stays" in words_of(chatters_sessions_view.body(saved, None, now, UTC))
    over = chatters_sessions_view.body(None, None, now, UTC, is_over=True)
    assert "That session is over" in words_of(over)
    assert "Forget all" not in words_of(over)
    some = chatters_sessions_view.body(None, None, now, UTC, unsaved_count=2)
    assert "Forget all that are not saved" in words_of(some)
    assert chatters_sessions_view.options([saved]) == [{"label": "Raid night · saved", "value": "s1"}]


def test_times_of_another_day_have_their_date() -> None:
    at = Instant(1_790_000_000_000_000)
    line = capture("c1", started_at=at)
    assert chatters_rooms_view.capture_words(line, Instant(at + 86_400_000_000), UTC).startswith(
        "21 Sep 2026,"
    )


def test_without_a_moderators_login_the_other_source_is_offered() -> None:
    local = replace(ROOM, role="local", can_list_connected=False, why_not="Nobody has logged in.")
    parts = chatters_rooms_view.notices(local, None, now_us(), UTC, is_empty=True, is_busy=False)
    assert find(parts, href="/account")
    assert find(parts, data_chatterscapture="spoke")[0].disabled is False
    public = replace(local, role="public", can_list_spoke=False)
    parts = chatters_rooms_view.notices(public, None, now_us(), UTC, is_empty=True, is_busy=False)
    assert not find(parts, href="/account")
    assert not find(parts, data_chatterscapture="spoke")
