"""Writes a sorted file of the lake so that a few rows can be found in it without reading the rest.

Three things make that so, each measured on 50 million messages: row groups of a size at which one room's
last messages are one or two of them; small pages, since a reader passes over pages that hold nothing it
wants without unpacking them (message ids and texts are most of the bytes); and Bloom filters on people,
by which it passes over row groups that somebody did not write in. DuckDB's own writer has no setting for
the first two that leaves it the third.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 40_960
_PAGE_BYTES = 64 * 1024
_PAGE_CHECK_ROWS = 512
_SOUGHT = ("user_id", "user_login")
_BLOOM = {"ndv": ROW_GROUP_ROWS // 4, "fpp": 0.05}
"""Made for 10,000 people a row group: 8 kB; with 40,000 it still passes over most."""
_TEXTS = ("text", "tags", "other_tags", "body")


def write_sorted(reader: pa.RecordBatchReader, path: Path, *, zstd_level: int) -> None:
    """Writes rows as they come, with one row group in memory at a time.

    Args:
        reader: Rows in the file's order, in batches of :data:`ROW_GROUP_ROWS`.
        path: The file; it is not made durable here.
        zstd_level: Of the compression.

    Raises:
        duckdb.Error: What the reader's query failed with.
        OSError: The file could not be written.
    """
    with pq.ParquetWriter(path, reader.schema, **_options(reader.schema, zstd_level)) as writer:
        for batch in _batches(reader):
            writer.write_batch(batch, row_group_size=ROW_GROUP_ROWS)


def _options(schema: pa.Schema, zstd_level: int) -> dict[str, Any]:
    unlike = {f.name: encoding for f in schema if (encoding := _encoding(f)) is not None}
    sought = {name: _BLOOM for name in _SOUGHT if name in schema.names}
    return {
        "compression": "zstd",
        "compression_level": zstd_level,
        "version": "2.6",
        "data_page_version": "2.0",
        "data_page_size": _PAGE_BYTES,
        "write_batch_size": _PAGE_CHECK_ROWS,
        "use_dictionary": [name for name in schema.names if name not in unlike],
        "column_encoding": unlike,
        "bloom_filter_options": sought or None,
    }


def _encoding(column: pa.Field) -> str | None:
    """How to write a column whose values hardly ever repeat; None for a dictionary."""
    if pa.types.is_timestamp(column.type):
        return "DELTA_BINARY_PACKED"
    is_id = column.name == "event_id" or column.name.endswith("message_id")
    is_text = column.name in _TEXTS or column.name.endswith("_text")
    return "DELTA_LENGTH_BYTE_ARRAY" if pa.types.is_string(column.type) and (is_id or is_text) else None


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException) as error:
            # The query's own failure (a full disk while it sorts, say) arrives dressed as Arrow's.
            raise duckdb.IOException(str(error)) from None
        if batch.num_rows:
            yield batch
