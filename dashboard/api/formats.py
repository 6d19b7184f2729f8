"""How rows are written: JSON, NDJSON, CSV and Parquet, a table at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from werkzeug.datastructures import MIMEAccept

MIME = {
    "json": "application/json",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_ALSO = {"application/jsonl": "ndjson", "application/ndjson": "ndjson", "application/x-parquet": "parquet"}
_FORMULA = r"^[=+\-@\t\r\n]"
_RFC3339 = "%Y-%m-%dT%H:%M:%SZ"
_LINES = 2_000
"""Rows turned into Python objects at once: all columns of many rows would be most of the memory."""


def negotiate(accept: MIMEAccept, offered: Iterable[str] = tuple(MIME)) -> str | None:
    """The format that a caller likes best.

    Args:
        accept: Of the request.
        offered: Formats, the one for “whatever” first.

    Returns:
        A key of :data:`MIME`; JSON where nothing is said; None when nothing fits.
    """
    names = {MIME[form]: form for form in offered}
    names |= {mime: form for mime, form in _ALSO.items() if form in names.values()}
    if not accept:
        return next(iter(names.values()))
    best = accept.best_match(list(names))
    return names[best] if best else None


def told(table: pa.Table) -> pa.Table:
    """The same rows with instants as RFC 3339 text (UTC, microseconds)."""
    columns = [
        pc.strftime(column, format=_RFC3339) if pa.types.is_timestamp(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as JSON can hold them; instants must be text already."""
    names = table.column_names
    columns = [column.to_pylist() for column in table.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def ndjson(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """One JSON object a line."""
    for table in tables:
        for first in range(0, table.num_rows, _LINES):
            rows = rows_of(told(table.slice(first, _LINES)))
            yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def csv(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """RFC 4180 with a header; text that a spreadsheet would take for a formula gets an apostrophe in front.

    Caveats:
        Null is an empty field, an empty text ``""``. Lists are joined by spaces.
    """
    written = _Written()
    names = schema.names
    yield (",".join(names) + "\r\n").encode()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed", eol="\r\n")
    for table in tables:
        flat = pa.table([_for_csv(column) for column in told(table).columns], names=names)
        pyarrow.csv.write_csv(flat, written, options)
        yield written.take()


def parquet(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """One file with a row group a table; types are those of the lake."""
    written = _Written()
    with pq.ParquetWriter(written, schema, compression="zstd", store_schema=False) as writer:
        for table in tables:
            writer.write_table(table.cast(schema))
            if block := written.take():
                yield block
    yield written.take()


def _for_csv(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(column.type):
        column = pc.binary_join(column, " ")
    if not pa.types.is_string(column.type):
        return column
    is_formula = pc.match_substring_regex(column, _FORMULA)
    return pc.if_else(is_formula, pc.binary_join_element_wise("'", column, ""), column)


class _Written(io.RawIOBase):
    """What was written and not yet taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        block = bytes(data)
        self._parts.append(block)
        self._length += len(block)
        return len(block)

    def tell(self) -> int:
        return self._length

    def take(self) -> bytes:
        block = b"".join(self._parts)
        self._parts.clear()
        return block
