"""The command that brings the state database to this version, for who wants it done before a start."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli_commands import checked_settings
from dashboard.cli_output import errors_said_plainly, say
from dashboard.supervisor import EXIT_FAILED

if TYPE_CHECKING:
    from dashboard.storage.state_db import StateDatabase


@click.command()
@click.option("--check", "is_check", is_flag=True, help="Change nothing; exit with 1 unless it is current.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def migrate(is_check: bool, as_json: bool) -> None:
    """Bring the state database (SQLite in DATA_DIR, or DATABASE_URL) to this version.

    Every start does the same by itself; one that is current stays as it is.
    """
    with errors_said_plainly(as_json):
        from dashboard.storage.state_db import StateDatabase

        settings = checked_settings()
        database = StateDatabase(settings.data_dir, settings.database_url.get_secret_value())
        try:
            summary, words = _checked(database) if is_check else _migrated(database)
        finally:
            database.close()
        say(summary, as_json, words)
        if not summary["ok"]:
            sys.exit(EXIT_FAILED)


def _migrated(database: StateDatabase) -> tuple[dict[str, Any], str]:
    from dashboard.storage.migrations import HEAD

    before = database.migrate()
    words = "." if before == HEAD else f" now; before: {before or 'a new one, or from before versions'}."
    summary = {"ok": True, "version": HEAD, "before": before}
    return summary, f"The state database is at version {HEAD}{words}"


def _checked(database: StateDatabase) -> tuple[dict[str, Any], str]:
    from dashboard.storage.migrations import HEAD

    schema = database.schema()
    if schema is None:
        return {"ok": True, "version": None, "needed": HEAD}, "There is no state database yet."
    summary = {
        "ok": schema.is_current,
        "version": schema.version,
        "needed": HEAD,
        "differences": list(schema.differences),
    }
    if schema.is_current:
        return summary, f"The state database is at version {HEAD}, as this version needs it."
    if not schema.differences:
        version = f"at version {schema.version}" if schema.version else "from before there were versions"
        return summary, (
            f"The state database is {version}; {HEAD} is needed. "
            "The next start brings it up, or python app.py migrate."
        )
    found = "\n".join(f"  {difference}" for difference in schema.differences)
    return summary, f"The state database is at version {HEAD}, but was changed by hand:\n{found}"
