"""Events as columns: the one step from objects to tables, shared by the journal and the lake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dashboard.events import KINDS, Event, Instant, arrow_schema

DAY_US = 86_400 * 1_000_000
_NEEDED = ("event_id", "room_login", "sent_at", "received_at")


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one kind and one UTC day, as columns.

    ``table`` has the columns of :func:`schema_of`, one row an event, in the order they came.
    """

    kind: str
    day: str
    table: pa.Table

    def ids(self) -> list[str]:
        """The event ids, in row order."""
        return self.table["event_id"].to_pylist()

    def span(self, column: str = "sent_at") -> tuple[Instant, Instant]:
        """The first and last instant of a column."""
        ends = pc.min_max(self.table[column].cast(pa.int64()))
        return Instant(ends["min"].as_py()), Instant(ends["max"].as_py())

    def rooms(self) -> list[str]:
        """Logins of the rooms in it, sorted."""
        return sorted(self.table["room_login"].unique().to_pylist())

    def without(self, event_ids: set[str]) -> Batch:
        """The same batch without some events."""
        if not event_ids:
            return self
        known = pc.is_in(self.table["event_id"], value_set=pa.array(sorted(event_ids), pa.string()))
        return Batch(self.kind, self.day, self.table.filter(pc.invert(known)))


def batches_of(events: Sequence[Event]) -> tuple[list[Batch], bytes, list[tuple[Event, str]]]:
    """Turns events into columns, and the columns into what the journal keeps.

    Args:
        events: Of any kinds and days.

    Returns:
        One batch a kind and day; the same content as lines of JSON, one a batch, with columns
        that are all ``None`` left out; and the events that no column can hold (a number beyond 64
        bits, no id), each with the reason.

    Caveats:
        Lone surrogates, which a Python str holds and a file can't, become ``?``.
    """
    try:
        return *_columns_of(events), []
    except Exception:
        # One event is broken; which one is looked for only then, the others go on.
        fit, unfit = [], []
        for event in map(_mended, events):
            reason = _why_unfit(event)
            if reason is None:
                fit.append(event)
            else:
                unfit.append((event, reason))
        return *_columns_of(fit), unfit


def batch_from_json(line: bytes) -> Batch | None:
    """Reads one line of the journal back.

    Returns:
        The batch; None for a kind this version does not know. Columns it does not know are
        passed over, columns the line does not have are NULL.
    """
    record = orjson.loads(line)
    if record["kind"] not in KINDS:
        return None
    columns: dict[str, Any] = record["columns"]
    day = day_of(columns["sent_at"][0])
    return Batch(record["kind"], day, _table(record["kind"], len(columns["event_id"]), columns))


@cache
def schema_of(kind: str) -> pa.Schema:
    """The Parquet columns of a kind as this version writes them."""
    return arrow_schema(KINDS[kind])


def day_of(instant: int) -> str:
    """The UTC day of an instant as ``YYYY-MM-DD``: the name of its partition."""
    return datetime.fromtimestamp(instant // DAY_US * 86_400, UTC).strftime("%Y-%m-%d")


@cache
def _fields_of(kind: str) -> tuple[tuple[str, ...], Callable[[Sequence[Event]], list[tuple[Any, ...]]]]:
    names = tuple(field.name for field in fields(KINDS[kind]))
    # Written out as dataclasses do it: a quarter of what operator.attrgetter takes for forty fields.
    row = ", ".join(f"event.{name}" for name in names)
    return names, eval(f"lambda group: [({row},) for event in group]")


def _table(kind: str, count: int, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    schema = schema_of(kind)
    return pa.table([_array(columns.get(f.name), count, f.type) for f in schema], schema=schema)


def _array(values: Sequence[Any] | None, count: int, kind: pa.DataType) -> pa.Array:
    if values is None:
        return pa.nulls(count, kind)
    if pa.types.is_timestamp(kind):
        # Whole numbers straight to timestamps: datetime objects would cost 15 µs each.
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


def _columns_of(events: Sequence[Event]) -> tuple[list[Batch], bytes]:
    groups: defaultdict[tuple[str, int], list[Event]] = defaultdict(list)
    for event in events:
        groups[event.kind, event.sent_at // DAY_US].append(event)
    batches, lines = [], []
    for (kind, day), group in groups.items():
        names, read_rows = _fields_of(kind)
        count = len(group)
        columns = {
            name: values
            for name, values in zip(names, zip(*read_rows(group), strict=True), strict=True)
            if values[0] is not None or values.count(None) != count
        }
        for name in _NEEDED:
            if name not in columns or None in columns[name]:
                raise ValueError(f"it has no {name}")
        if "" in columns["event_id"]:
            raise ValueError("its event_id is empty")
        batches.append(Batch(kind, day_of(day * DAY_US), _table(kind, count, columns)))
        lines.append(orjson.dumps({"kind": kind, "columns": columns}))
    return batches, b"\n".join(lines)


def _why_unfit(event: Event) -> str | None:
    try:
        _columns_of([event])
    except Exception as error:
        return f"it can't be stored: {error}"
    return None


def _mended(event: Event) -> Event:
    broken: dict[str, Any] = {
        field.name: value.encode("utf-8", "replace").decode("utf-8")
        for field in fields(event)
        if isinstance(value := getattr(event, field.name), str) and not _is_utf8(value)
    }
    return replace(event, **broken) if broken else event


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
