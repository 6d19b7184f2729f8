"""The state database from version to version: fresh, old and newer ones, on SQLite and Postgres."""

from __future__ import annotations

import json
import multiprocessing
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import inspect

from dashboard.cli_state import migrate
from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.health import check_state
from dashboard.storage import migrations
from dashboard.storage.accounts import open_accounts
from dashboard.storage.audit import open_audit
from dashboard.storage.eventsub_state import EventSubState
from dashboard.storage.job_runs import JobRuns
from dashboard.storage.state import State
from dashboard.storage.state_db import StateDatabase
from dashboard.storage.state_engine import make_engine, reading, writing
from tests.postgres_server import PostgresServer

BEFORE_VERSIONS = Path(__file__).with_name("state_before_versions.sql")
"""A database of the last release without versions, with a row or two in it."""


def old_database(data_dir: Path) -> None:
    (data_dir / "state").mkdir()
    con = sqlite3.connect(data_dir / "state" / "state.sqlite")
    con.executescript(BEFORE_VERSIONS.read_text())
    con.close()


def sqlite_schema(data_dir: Path) -> list[Any]:
    con = sqlite3.connect(data_dir / "state" / "state.sqlite")
    rows = con.execute("select type, name, tbl_name, sql from sqlite_master order by type, name").fetchall()
    con.close()
    return rows


def postgres_schema(server: PostgresServer, database: str) -> list[Any]:
    columns = server.execute(
        database,
        "select table_name, ordinal_position, column_name, data_type, character_maximum_length, is_nullable,"
        " column_default from information_schema.columns where table_schema = 'public' order by 1, 2",
    )
    return columns + server.execute(
        database, "select indexdef from pg_indexes where schemaname = 'public' order by 1"
    )


@pytest.fixture
def databases(tmp_path: Path, state_url: str) -> Iterator[StateDatabase]:
    database = StateDatabase(tmp_path, state_url)
    yield database
    database.close()


def test_a_fresh_one_is_what_the_modules_describe(databases: StateDatabase) -> None:
    databases.migrate()
    schema = databases.schema()
    assert schema == migrations.Schema(migrations.HEAD, ())
    assert schema.is_current
    with databases.read() as con:
        assert set(inspect(con).get_table_names()) == {*migrations.all_tables().tables, "alembic_version"}


def test_the_steps_lead_to_the_same_tables_on_sqlite(tmp_path: Path) -> None:
    fresh, stepped, adopted = (tmp_path / name for name in ("fresh", "stepped", "adopted"))
    for folder in (fresh, stepped, adopted):
        folder.mkdir()
    database = StateDatabase(fresh)
    database.migrate()
    database.close()
    engine = make_engine(stepped, "")
    with writing(engine) as con:
        migrations._upgrade(con)
    engine.dispose()
    old_database(adopted)
    old = StateDatabase(adopted)
    assert old.schema() == migrations.Schema(None, ())
    assert old.migrate() is None
    assert old.migrate() == migrations.HEAD
    old.close()

    tables = sqlite_schema(fresh)
    assert len(tables) > 40
    assert sqlite_schema(stepped) == tables
    assert sqlite_schema(adopted) == tables


def test_the_steps_lead_to_the_same_tables_on_postgres(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    stepped, fresh = postgres_server.make(), postgres_server.make()
    database = StateDatabase(tmp_path, postgres_server.url(fresh))
    database.migrate()
    database.close()
    engine = make_engine(tmp_path, postgres_server.url(stepped))
    with writing(engine) as con:
        migrations._upgrade(con)
    # As it was before there were versions: the next one to open it adopts it.
    old = re.findall(r"CREATE TABLE (\w+)", BEFORE_VERSIONS.read_text())
    newer = set(migrations.all_tables().tables) - set(old)
    assert len(old) == 14
    postgres_server.execute(stepped, f"drop table {', '.join(['alembic_version', *newer])}")
    migrations.bring_up(engine)
    with reading(engine) as con:
        assert migrations._differences(con) == []
    engine.dispose()
    assert postgres_schema(postgres_server, stepped) == postgres_schema(postgres_server, fresh)


def test_what_differs_from_the_code_is_found(databases: StateDatabase) -> None:
    with databases.write() as con:
        con.exec_driver_sql("alter table captures drop column error")
        con.exec_driver_sql("drop index audit_by_time")
    schema = databases.schema()
    assert schema is not None
    assert not schema.is_current
    words = " ".join(schema.differences)
    assert "audit_by_time" in words
    assert "'error'" in words


def test_an_older_one_keeps_its_data(tmp_path: Path) -> None:
    old_database(tmp_path)
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    accounts, audit = open_accounts(settings), open_audit(settings)
    state, runs, known = State(tmp_path), JobRuns(tmp_path), EventSubState(tmp_path)

    account = accounts.get("11")
    assert account is not None
    assert (account.user_login, account.moderated_logins) == ("eleven", ("beta",))
    assert [entry.action for entry in audit.recent()] == ["logout", "login"]
    assert state.followed() == ["zed", "abe"]
    run = runs.last("clips")
    assert run is not None
    assert (run.state, run.params, [line.line for line in runs.lines(run.run_id)]) == (
        "ok",
        {"room": "beta"},
        ["beta: 3 clips"],
    )
    assert [wish.eventsub_type for wish in known.open_wishes()] == ["channel.cheer"]
    audit.write("login", user_id="11")
    assert len(audit.recent()) == 3
    for part in (accounts, audit, state, runs, known):
        part.close()


def test_a_newer_one_is_left_alone_and_said(databases: StateDatabase, tmp_path: Path, state_url: str) -> None:
    with databases.write() as con:
        con.exec_driver_sql("update alembic_version set version_num = '0999'")
    databases.close()
    state = State(tmp_path, state_url)
    for ask in (state.followed, lambda: state.follow(["abe"]), databases.schema):
        with pytest.raises(StorageError, match=r"of a newer version of StreamLens \(0999"):
            ask()


def test_a_step_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_database(tmp_path)
    before = sqlite_schema(tmp_path)
    con = sqlite3.connect(tmp_path / "state" / "state.sqlite")
    con.execute("create table analysis_sessions (in_the_way text)")
    con.commit()
    state = State(tmp_path)
    with pytest.raises(StorageError, match="does not answer"):
        state.followed()
    con.execute("drop table analysis_sessions")
    con.commit()
    con.close()
    assert sqlite_schema(tmp_path) == before
    assert state.followed() == ["zed", "abe"]
    state.close()


def test_the_command_tells_and_brings_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr("dashboard.cli_state.checked_settings", lambda: Settings(_env_file=None))

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(migrate, [*arguments, "--json"])
        return result.exit_code, json.loads(result.stdout.splitlines()[-1])

    assert run("--check") == (0, {"ok": True, "version": None, "needed": migrations.HEAD})
    assert not (tmp_path / "state").exists()
    old_database(tmp_path)
    behind = {"ok": False, "version": None, "needed": migrations.HEAD, "differences": []}
    assert run("--check") == (1, behind)
    assert run() == (0, {"ok": True, "version": migrations.HEAD, "before": None})
    assert run() == (0, {"ok": True, "version": migrations.HEAD, "before": migrations.HEAD})
    assert run("--check") == (0, behind | {"ok": True, "version": migrations.HEAD})


def test_head_is_the_last_step() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(migrations.FOLDER))
    assert script.get_heads() == [migrations.HEAD]
    revisions = [step.revision for step in script.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True), "versions are compared by their names"


def _open(databases: dict[str, tuple[str, str]], start: Any, results: Any) -> None:
    for name, (data_dir, url) in databases.items():
        state = State(Path(data_dir), url)
        start.wait(60)
        try:
            state.follow([f"room{multiprocessing.current_process().pid}"])
            results.put((name, ""))
        except Exception as error:
            results.put((name, repr(error)))
        state.close()


def test_processes_may_all_be_the_first(tmp_path: Path, postgres_server: PostgresServer) -> None:
    databases = {
        "fresh": (str(tmp_path / "fresh"), ""),
        "old": (str(tmp_path / "old"), ""),
        "postgres": (str(tmp_path), postgres_server.url(postgres_server.make())),
    }
    (tmp_path / "old").mkdir()
    old_database(tmp_path / "old")
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_open, args=(databases, start, results)) for _ in range(3)]
    for process in processes:
        process.start()
    told = [results.get(timeout=60) for _ in range(9)]
    assert sorted(told) == sorted([(name, "") for name in databases] * 3)
    for process in processes:
        process.join(60)
    for data_dir, url in databases.values():
        state = State(Path(data_dir), url)
        assert len(set(state.followed()) - {"zed", "abe"}) == 3
        state.close()


def test_the_check_says_how_it_is(databases: StateDatabase, tmp_path: Path, state_url: str) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True, database_url=state_url)
    if not state_url:
        assert check_state(settings).detail == "SQLite in DATA_DIR, made at the first start"
        assert not (tmp_path / "state").exists()
    databases.migrate()
    assert check_state(settings).status == "ok"
    assert check_state(settings).detail.endswith(f"version {migrations.HEAD}")
    with databases.write() as con:
        con.exec_driver_sql("alter table captures drop column error")
    assert (check_state(settings).status, "by hand" in check_state(settings).detail) == ("warn", True)
    with databases.write() as con:
        con.exec_driver_sql("update alembic_version set version_num = '0001'")
    assert "the next start brings it to" in check_state(settings).detail
    nowhere = settings.model_copy(update={"database_url": SecretStr("postgresql://me:hunter2@127.0.0.1:1/x")})
    told = check_state(nowhere)
    assert told.status == "fail"
    assert "hunter2" not in told.detail


def test_every_way_to_write_a_postgres_address_works(tmp_path: Path, postgres_server: PostgresServer) -> None:
    database = postgres_server.make()
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        settings = Settings(_env_file=None, database_url=postgres_server.url(database, scheme))
        state = State(tmp_path, settings.database_url.get_secret_value())
        assert state.followed() == []
        state.close()
