"""Events become columns and come back the same; what no column can hold is named, and nothing else lost."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.events import KINDS, Bits, Event, Instant
from dashboard.storage.batch import Batch, batch_from_json, batches_of, day_of
from tests.storage_events import DAY, T0, any_event, event_of, message, messages


def _values(batch: Batch, name: str) -> list[object]:
    column = batch.table[name]
    return (column.cast("int64") if name.endswith("_at") else column).to_pylist()


def _rows(batches: list[Batch]) -> list[tuple[str, dict[str, object]]]:
    rows = []
    for batch in batches:
        names = batch.table.column_names
        columns = [_values(batch, name) for name in names]
        rows += [(batch.kind, dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)]
    return rows


def _expected(events: list[Event]) -> list[tuple[str, dict[str, object]]]:
    groups: dict[tuple[str, int], list[Event]] = {}
    for event in events:
        groups.setdefault((event.kind, event.sent_at // DAY), []).append(event)
    return [(event.kind, asdict(event)) for group in groups.values() for event in group]


@settings(max_examples=150, deadline=None)
@given(st.lists(any_event(), min_size=1, max_size=12))
def test_events_of_any_kind_come_back_the_same_from_columns_and_from_the_journal(events: list[Event]) -> None:
    batches, payload, unfit = batches_of(events)

    assert unfit == []
    assert _rows(batches) == _expected(events)
    read_back = [batch_from_json(line) for line in payload.split(b"\n")]
    assert [(b.kind, b.day) for b in read_back if b] == [(b.kind, b.day) for b in batches]
    assert all(b.table.equals(a.table) for a, b in zip(batches, read_back, strict=True) if b)


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_every_field_of_every_kind_is_kept(kind: str, data: st.DataObject) -> None:
    event = data.draw(event_of(kind, is_full=True))
    assert None not in [getattr(event, field.name) for field in fields(event)]

    _, payload, _ = batches_of([event])

    batch = batch_from_json(payload)
    assert batch is not None
    assert _rows([batch]) == [(kind, asdict(event))]


@settings(max_examples=80, deadline=None)
@given(st.lists(any_event(st.text(max_size=8)), min_size=1, max_size=5))
def test_lone_surrogates_become_question_marks_and_nothing_else_changes(events: list[Event]) -> None:
    batches, _, unfit = batches_of(events)

    def plain(value: object) -> object:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

    assert unfit == []
    assert _rows(batches) == [
        (kind, {name: plain(value) for name, value in row.items()}) for kind, row in _expected(events)
    ]


@pytest.mark.parametrize(
    "broken",
    [
        message(2, bits=2**63),
        message(2, bits=2**64),
        message(2, bits=-(2**63) - 1),
        message(2, bits="many"),
        message(2, at=2**62),
        message(2, text=b"bytes"),
        message(2, room=None),  # type: ignore[arg-type]
    ],
    ids=["int64+1", "uint64+1", "int64-1", "text for a number", "year 148,000", "bytes", "no room"],
)
def test_an_event_that_no_column_holds_is_named_and_the_others_go_on(broken: Event) -> None:
    batches, payload, unfit = batches_of([message(1), broken, message(3)])

    assert [event for event, _ in unfit] == [broken]
    assert unfit[0][1].startswith("it can't be stored: ")
    assert [id_ for batch in batches for id_ in batch.ids()] == ["m1", "m3"]
    assert b"m2" not in payload


def test_the_extremes_of_int64_and_nul_are_kept() -> None:
    events = [message(1, bits=2**63 - 1, text="a\0b"), message(2, bits=-(2**63), text="\u2028 😀 \t\n\r")]

    (batch,), payload, _ = batches_of(events)

    assert batch.table["bits"].to_pylist() == [2**63 - 1, -(2**63)]
    assert batch.table["text"].to_pylist() == ["a\0b", "\u2028 😀 \t\n\r"]
    assert payload.count(b"\n") == 0


def test_kinds_and_days_are_apart_and_order_is_kept() -> None:
    midnight = (T0 // DAY + 1) * DAY
    events: list[Event] = [
        message(1, at=midnight),
        message(2, at=midnight - 1),
        Bits(
            event_id="m1",
            source="irc",
            room_login="a",
            sent_at=Instant(midnight),
            received_at=Instant(0),
            bits=5,
        ),
        message(3, at=midnight + 1),
    ]

    batches, _, _ = batches_of(events)

    assert [(b.kind, b.day, b.ids()) for b in batches] == [
        ("chat_messages", "2023-11-15", ["m1", "m3"]),
        ("chat_messages", "2023-11-14", ["m2"]),
        ("bits", "2023-11-15", ["m1"]),
    ]


def test_days_are_utc_also_before_1970() -> None:
    assert [day_of(0), day_of(-1), day_of(DAY - 1), day_of(DAY)] == [
        "1970-01-01",
        "1969-12-31",
        "1970-01-01",
        "1970-01-02",
    ]


def test_span_rooms_and_without() -> None:
    (batch,), _, _ = batches_of([message(3, room="b"), message(1, room="a"), message(2, room="b")])

    assert batch.span() == (T0 + 1000, T0 + 3000)
    assert batch.span("received_at") == (T0 + 1050, T0 + 3050)
    assert batch.rooms() == ["a", "b"]
    assert batch.without({"m1", "m9"}).ids() == ["m3", "m2"]
    assert batch.without(set()) is batch


def test_the_journal_of_another_version_is_read_as_far_as_it_is_known() -> None:
    _, payload, _ = batches_of(messages(1, 2))

    newer = payload.replace(b'"text":', b'"mood":["x","y"],"text":')
    batch = batch_from_json(newer)
    assert batch is not None
    assert batch.ids() == ["m1", "m2"]
    assert "mood" not in batch.table.column_names
    assert batch.table["color"].null_count == 2
    assert batch_from_json(payload.replace(b"chat_messages", b"chat_telepathy")) is None
