"""How the state's database is reached: SQLite or Postgres, one way to read, one way to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from dashboard.storage.private import make_private_folder

_WRITES = "streamlens_writes"
_LOCK_ID = 7_283_644_186
"""Postgres knows the write lock by it: any number that nobody else in the database locks."""
_WAIT_S = 30
_PLAIN_POSTGRES = ("postgres", "postgresql")


def state_file(data_dir: Path) -> Path:
    """Where the state is when no ``DATABASE_URL`` says otherwise."""
    return data_dir / "state" / "state.sqlite"


def make_engine(data_dir: Path, url: str) -> Engine:
    """An engine for the state; nothing is opened yet, but the folder of the SQLite file is made.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file; ``postgresql://`` is psycopg's.

    Raises:
        sqlalchemy.exc.ArgumentError: The address is none.
        ImportError: Its driver is not installed.
    """
    make_private_folder(state_file(data_dir).parent)
    address = make_url(url) if url else URL.create("sqlite", database=str(state_file(data_dir)))
    if address.drivername in _PLAIN_POSTGRES:
        address = address.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    if address.get_backend_name() == "postgresql":
        # Every part of the state has an engine of its own, and a server 100 connections for everybody.
        options |= {"pool_size": 1, "max_overflow": 9}
        if address.get_driver_name() == "psycopg":
            # Statements that the server remembers get lost behind a pooler.
            options["connect_args"] = {"connect_timeout": 10, "prepare_threshold": None}
    engine = create_engine(address, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgres)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for questions; everything asked inside sees one and the same state."""
    with engine.connect() as con:
        if engine.dialect.name == "postgresql":
            con = con.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield con


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that nobody else can write beside: committed at the end, undone by an exception."""
    with engine.connect() as con:
        con = con.execution_options(**{_WRITES: True})
        with con.begin():
            yield con


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # Else the driver begins by itself, and too late.
    cursor = connection.cursor()
    cursor.execute(f"pragma busy_timeout = {_WAIT_S * 1000}")
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma foreign_keys = on")
    cursor.execute("pragma secure_delete = on")  # What is deleted is gone from the file too.
    cursor.close()


def _begin_sqlite(con: Connection) -> None:
    # A transaction that reads first and writes later can't be waited for: it fails when another
    # wrote in between.
    writes = con.get_execution_options().get(_WRITES)
    con.exec_driver_sql("begin immediate" if writes else "begin")


def _begin_postgres(con: Connection) -> None:
    # One writer at a time, as with SQLite: what is read before it is written needs no other care.
    if con.get_execution_options().get(_WRITES):
        con.exec_driver_sql(f"set local lock_timeout = '{_WAIT_S}s'")
        con.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK_ID})")
