"""The views a query sees: each kind, and ``gaps``, over exactly the files that are live now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb

from dashboard.events import KINDS, Instant
from dashboard.storage.batch import schema_of
from dashboard.storage.catalog import Catalog, LiveFile

_DERIVED = {"gaps": ("observations",)}
VIEWS = (*(kind for kind in KINDS), *_DERIVED)
"""Every name that can stand behind FROM."""

_WORD = re.compile(r"[a-z_]+")
_DUCKDB_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "bool": "BOOLEAN", "double": "DOUBLE"}
_FOLDER = Path(__file__).parent / "queries" / "views"


def views_in(sql: str) -> list[str]:
    """Names of the views that a text mentions, what they are made from first."""
    words = set(_WORD.findall(sql.lower()))
    named = [view for view in VIEWS if view in words]
    below = [base for view in named for base in _DERIVED.get(view, ())]
    return list(dict.fromkeys(below + named))


def create_views(
    con: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    catalog: Catalog,
    lake: Path,
    window: tuple[Instant, Instant] | None = None,
) -> None:
    """Makes temporary views on a connection.

    Args:
        con: Its views are seen by nobody else.
        names: From :func:`views_in`.
        catalog: Says which files are live at this instant.
        lake: The lake's folder.
        window: Leave out files without events sent in it; the query still has to filter rows.
    """
    with catalog.reading():
        bodies = [
            (name, _derived(name) if name in _DERIVED else _select(name, catalog, lake, window))
            for name in names
        ]
    for name, body in bodies:
        con.execute(f"create temp view {name} as {body}")


@cache
def _derived(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def _select(kind: str, catalog: Catalog, lake: Path, window: tuple[Instant, Instant] | None) -> str:
    # The ledger of observations is read whole: what holds in a window began before it.
    files = catalog.live(kind, None if kind == "observations" else window)
    return select_files(kind, files, catalog, lake) if files else empty_select(kind)


def select_files(
    kind: str, files: Sequence[LiveFile], catalog: Catalog, lake: Path, *, with_path: bool = False
) -> str:
    """The SELECT that reads files with today's columns, whatever columns they were written with.

    Args:
        kind: Of all the files.
        files: At least one.
        catalog: Knows each file's columns.
        lake: The lake's folder.
        with_path: Also tell in ``filename`` which file a row stands in.

    Returns:
        Text with every column of the kind in the order of its dataclass; absent ones are NULL.
    """
    by_columns: dict[int, list[LiveFile]] = {}
    for file in files:
        by_columns.setdefault(file.columns_id, []).append(file)
    # Files with equal columns are read together: opening every footer just to unite the schemas
    # would cost more than the query.
    return " union all ".join(
        _read(kind, set(catalog.columns(columns_id)), [lake / file.path for file in group], with_path)
        for columns_id, group in by_columns.items()
    )


def _read(kind: str, columns: set[str], paths: list[Path], with_path: bool) -> str:
    listed = ", ".join("'" + str(path.absolute()).replace("'", "''") + "'" for path in paths)
    selected = ", ".join(
        field.name if field.name in columns else f"cast(null as {_type(field.type)}) as {field.name}"
        for field in schema_of(kind)
    )
    if with_path:
        selected += ", filename"
    return f"select {selected} from read_parquet([{listed}], hive_partitioning = false)"


def empty_select(kind: str) -> str:
    """The SELECT of a kind without files: its columns and no rows."""
    columns = ", ".join(f"cast(null as {_type(field.type)}) as {field.name}" for field in schema_of(kind))
    return f"select {columns} where false"


def _type(arrow_type: object) -> str:
    return _DUCKDB_TYPES.get(str(arrow_type), "TIMESTAMPTZ")
