"""A Postgres server for tests, from the binaries of this machine; without them its tests are skipped.

It listens on a socket in a folder of its own and nowhere else, so no port is taken.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

_BINARIES = Path("/usr/lib/postgresql")
_USER = "streamlens"
_SHARED = "shared"
_START_S = 60


class PostgresMissingError(Exception):
    """Postgres can't be had on this machine; the message says why."""


class PostgresServer:
    """A running server; every test gets a database that is as good as new.

    Args:
        folder: Where its socket is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """The address of a database, in the form that DATABASE_URL takes."""
        return f"{scheme}://{_USER}@/{database}?host={self._folder}"

    def make(self) -> str:
        """A new database; its name."""
        name = f"t{next(self._numbers)}"
        self.execute("postgres", f"create database {name} template template0")
        return name

    def clear(self, database: str) -> None:
        """Empties a database: much faster than a new one, of which each is 300 files."""
        self.execute(database, "drop schema public cascade; create schema public")

    def execute(self, database: str, statement: str) -> list[Any]:
        """Does one statement, past the code under test; gives its rows."""
        import psycopg

        where = f"host={self._folder} user={_USER} dbname={database}"
        with psycopg.connect(where, autocommit=True) as con:
            cursor = con.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Postgres on an empty folder, without the care for its disk that tests do not need.

    Raises:
        PostgresMissingError: It is not installed, or does not start here.
    """
    binaries, who = _binaries(), _owner()
    folder = Path(tempfile.mkdtemp(prefix="streamlens-pg-", dir="/tmp"))  # Sockets need a short path.
    try:
        if who:
            shutil.chown(folder, who["user"], who["group"])
        data = str(folder / "data")
        make = [str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", _USER, "--no-sync", "-E", "UTF8"]
        made = subprocess.run(make, capture_output=True, cwd=folder, check=False, timeout=_START_S, **who)
        if made.returncode:
            raise PostgresMissingError(f"initdb fails here: {made.stderr.decode()[-300:]}")
        start = [str(binaries / "postgres"), "-D", data, "-F", "-k", str(folder), "-c", "listen_addresses="]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(start, stdout=log, stderr=log, cwd=folder, **who)
        try:
            postgres = PostgresServer(folder)
            _wait(postgres, server, folder / "log")
            yield postgres
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(_START_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Postgres for all tests, with one database for :func:`state_url`."""
    try:
        with running_postgres() as postgres:
            postgres.execute("postgres", f"create database {_SHARED} template template0")
            yield postgres
    except PostgresMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", "postgres"])
def state_url(request: pytest.FixtureRequest) -> str:
    """The test runs on both: an empty DATABASE_URL (SQLite in the folder) and an empty Postgres database."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.clear(_SHARED)
    return server.url(_SHARED)


def _binaries() -> Path:
    versions = sorted(_BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if not versions:
        raise PostgresMissingError(f"no Postgres below {_BINARIES}")
    return versions[-1].parent


def _owner() -> dict[str, Any]:
    """Postgres refuses to run as root: then it runs as its own user."""
    if os.geteuid():
        return {}
    import pwd

    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise PostgresMissingError("no user postgres to run it as, and root may not") from None
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _wait(postgres: PostgresServer, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    until = time.monotonic() + _START_S
    while True:
        try:
            postgres.execute("postgres", "select 1")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                words = log.read_text()[-300:]
                raise PostgresMissingError(f"Postgres does not start here: {words}") from None
            time.sleep(0.02)
