"""Dates, cursors and parameters as a caller writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.api.cursors import make_cursor, read_cursor
from dashboard.api.dates import parse_moment
from dashboard.api.openapi import openapi_document
from dashboard.api.parameters import parse
from dashboard.api.reading import rfc3339
from dashboard.api.resources import all_resources, by_name
from dashboard.errors import ParseError
from dashboard.events import Instant

DAYS = st.dates(date(1970, 1, 1), date(9999, 12, 31))
FORMS = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m-%d-%Y")
DAY_US = 86_400_000_000


@given(DAYS, st.sampled_from(FORMS))
def test_a_day_in_any_form_is_that_whole_day(day: date, form: str) -> None:
    first, last = parse_moment(day.strftime(form).rjust(10 if "%Y%m" not in form else 8, "0"))
    assert first == (day - date(1970, 1, 1)).days * DAY_US
    assert last == first + DAY_US - 1


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_an_instant_comes_back_whatever_its_offset(at: datetime, offset_min: int) -> None:
    sign, minutes = "-" if offset_min < 0 else "+", abs(offset_min)
    text = f"{at.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    utc = at.replace(tzinfo=UTC) - timedelta(minutes=offset_min)
    first, last = parse_moment(text)
    assert first == last
    assert datetime.fromisoformat(rfc3339(first) or "") == utc
    assert parse_moment(text.replace("+", " ")) == (first, last)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader_of_dates(text: str) -> None:
    reason = ""
    try:
        first, last = parse_moment(text)
    except ValueError as error:
        reason, first, last = str(error), Instant(0), Instant(0)
    assert 0 <= first <= last
    assert not reason or "is not" in reason


@given(st.dictionaries(st.text(), st.text()), st.integers(0, 2**61), st.text(), st.text())
def test_a_cursor_comes_back(question: dict[str, str], at: int, event_id: str, room: str) -> None:
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in event_id + room + repr(question)):
        return
    cursor = make_cursor(question, (at, event_id, room))
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert read_cursor(question, cursor, (int, str, str)) == (at, event_id, room)
    with pytest.raises(ParseError, match="another question"):
        read_cursor(question | {"order": "other"}, cursor, (int, str, str))
    with pytest.raises(ParseError):
        read_cursor(question, cursor, (str,))


@given(st.text(max_size=60))
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(ParseError, match="cursor"):
        read_cursor({}, text, (int, str, str))


@given(
    st.dictionaries(
        st.sampled_from(sorted(by_name()["messages"].parameters)), st.text(max_size=40), max_size=4
    )
)
def test_any_parameters_are_understood_or_refused_by_name(given_: dict[str, str]) -> None:
    reason = ""
    try:
        parse(by_name()["messages"], {name: [text] for name, text in given_.items()})
    except ParseError as error:
        reason = str(error)
    assert not reason or reason.split(":")[0] in given_


def test_words_and_phrases_are_taken_apart() -> None:
    def words(text: str) -> tuple[str, ...]:
        return parse(by_name()["messages"], {"q": [text]}).words

    assert words('one  "two words" three') == ("one", "two words", "three")
    assert words('" JOIN "') == (" JOIN ",)
    assert words('"" x') == ("x",)


def test_the_description_tells_every_parameter_and_column() -> None:
    document = openapi_document()
    assert document["openapi"].startswith("3.1")
    for resource in all_resources():
        for name in resource.names:
            told = {p["name"] for p in document["paths"][f"/{name}"]["get"]["parameters"]}
            assert told == set(resource.parameters)
    message = document["components"]["schemas"]["messages"]
    assert message["required"][:3] == ["event_id", "source", "room_login"]
    assert message["properties"]["is_action"]["description"] == "Written with `/me`."


def test_every_name_is_of_one_resource_only() -> None:
    names = [name for resource in all_resources() for name in resource.names]
    assert len(names) == len(set(names))
    asked_for = "messages users rooms subscriptions subs subgifts mysterygifts gifts payforwards paidupgrades"
    asked_for += " onetapgifts bits bitsbadgetiers raids announcements milestones roomstates userlist"
    asked_for += " moderation viewers streams clips health"
    assert set(asked_for.split()) <= set(names)
