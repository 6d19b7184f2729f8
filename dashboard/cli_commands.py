"""Commands that need nothing from outside: the sandbox, questions to the lake, tidying, checks."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli_output import PRINTERS, errors_said_plainly, say, say_merge
from dashboard.errors import ConfigError, StreamLensError
from dashboard.supervisor import EXIT_FAILED, end_with_parent, run_until_stopped

if TYPE_CHECKING:
    from dashboard.config import Settings

_MARKS = {"ok": "✓", "warn": "!", "fail": "✗", "off": "·"}
_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_WRITABLE = click.Path(dir_okay=False, path_type=Path)


def checked_settings(*, serves: bool = False) -> Settings:
    """All settings, checked, and the log set up with every secret kept out of it.

    Args:
        serves: Whether the process serves; standard output belongs to the answer of a command that does
            not, and the audit log's lines go to standard error.
    """
    from pydantic import SecretStr

    from dashboard.config import load_settings
    from dashboard.logs import configure_audit, configure_logging

    settings = load_settings()
    secrets = [value for value in settings.model_dump().values() if isinstance(value, SecretStr)]
    configure_logging(settings.log_level, settings.log_format, secrets=secrets)
    configure_audit(None if serves else sys.stderr)
    return settings


@click.command()
@click.option("--host", help="Address to listen on.  [default: SANDBOX_HOST]")
@click.option(
    "--port",
    type=click.IntRange(1, 65534),
    help="HTTP, WebSocket; IRC over TCP is one above.  [default: SANDBOX_PORT]",
)
@click.option("--seed", type=int, help="The same seed is the same world.  [default: SANDBOX_SEED]")
@click.option(
    "--channels", type=click.IntRange(min=1), help="Size of the world.  [default: SANDBOX_CHANNEL_COUNT]"
)
@click.option("--truth", type=_WRITABLE, help="Where to write the ground truth as JSON.")
@click.option("--replay", type=_READABLE, help="A recording of raw IRC lines to serve as a channel.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Of the replay.",
)
def sandbox(**options: Any) -> None:
    """Run only the sandbox: a local stand-in for Twitch (IRC, Helix, OAuth), deterministic by seed."""
    with errors_said_plainly():
        end_with_parent()
        _serve_sandbox(checked_settings(), options)


def _serve_sandbox(settings: Settings, options: dict[str, Any]) -> None:
    from dashboard.sandbox import run_sandbox
    from dashboard.sandbox.recording import open_replay

    replay = options["replay"]
    serving = run_sandbox(
        host=options["host"] or settings.sandbox_host,
        port=options["port"] or settings.sandbox_port,
        seed=settings.sandbox_seed if options["seed"] is None else options["seed"],
        channel_count=options["channels"] or settings.sandbox_channel_count,
        truth=options["truth"] or settings.data_dir / "sandbox" / "truth.json",
        replay=open_replay(replay) if replay else None,
        replay_speed=options["speed"],
        on_ready=lambda server: click.echo(f"Sandbox at {server.urls['helix']} and {server.urls['irc']}"),
    )
    try:
        run_until_stopped(serving)
    except OSError as error:
        if error.filename is not None:
            raise StreamLensError(f"{error.filename} can't be written: {error.strerror}.") from None
        raise ConfigError(
            f"SANDBOX_PORT: the sandbox can't listen there ({error.strerror}). Set it to a free port."
        ) from None


@click.command()
@click.argument("sql")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=10_000, show_default=True, help="At most so many rows."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds.  [default: QUERY_TIMEOUT_S]",
)
def query(sql: str, form: str, limit: int, timeout_s: float | None) -> None:
    """Ask the lake in SQL (DuckDB's), read only.

    \b
    Views: chat_messages, subscriptions, sub_gifts, mystery_gifts, pay_forwards,
    paid_upgrades, one_tap_gifts, bits, bits_badge_tiers, raids, announcements,
    milestones, moderation, room_states, user_list, notices, other_notices,
    viewer_samples, streams, observations, gaps.

    \b
    From EventSub: notifications, follows, channel_updates, subscription_changes,
    cheers, bits_uses, channel_raids, hype_trains, goals, mod_actions,
    suspicious_users, shield_modes, polls, predictions, redemptions, ad_breaks.

    \b
    From Helix and the jobs: audience_counts, followers, subscribers, chatter_polls,
    chatters, clips, channel_days, survey_captures, survey_presence, accounts,
    renames, speaker_polls, speakers, community_runs, community_nodes,
    community_edges.

    \b
    python app.py query "select room_login, count(*) from chat_messages group by all"
    python app.py query "describe raids"
    """
    with errors_said_plainly():
        from dashboard.storage.store import Store

        settings = checked_settings()
        store = Store(
            settings.data_dir,
            threads=settings.query_threads,
            memory_mb=settings.query_memory_mb,
            timeout_s=timeout_s or settings.query_timeout_s,
        )
        table = store.sql(sql, max_rows=limit)
        PRINTERS[form](table.columns, table.rows)
        if table.is_cut:
            click.echo(f"Cut after {limit:,} rows; --limit gives more.", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def compact(as_json: bool) -> None:
    """Merge small files of the lake now, and remove duplicates and what is past its time.

    The worker does the same by the clock; this is for when it does not run.
    """
    with errors_said_plainly(as_json):
        from dashboard.storage.compaction import Compactor

        settings = checked_settings()
        compactor = Compactor(settings.data_dir, memory_mb=settings.query_memory_mb)
        retired = compactor.retain(settings.retention_days)
        done = compactor.run(everything=True, on_merge=None if as_json else say_merge)
        summary = {
            "ok": True,
            "merged_files": done.merged_count,
            "made_files": done.made_count,
            "rows": done.row_count,
            "duplicates": done.duplicate_count,
            "expired_files": retired,
        }
        words = (
            f"{done.merged_count} files became {done.made_count} ({done.row_count:,} rows, "
            f"{done.duplicate_count:,} duplicates dropped); {retired} files were past their time."
        )
        say(summary, as_json, words)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def check(as_json: bool) -> None:
    """Say what works and what does not: settings, folders, Twitch, S3. Ends with 1 if anything failed."""
    with errors_said_plainly(as_json):
        from dashboard.health import run_checks

        checks = run_checks(checked_settings())
        failed = [item for item in checks if item.status == "fail"]
        records = [asdict(item) for item in checks]
        lines = [f"{_MARKS[item.status]} {item.name}: {item.detail}" for item in checks]
        cures = [f"\n    {item.cure}" if item.cure else "" for item in checks]
        words = "\n".join(line + cure for line, cure in zip(lines, cures, strict=True))
        say({"ok": not failed, "checks": records}, as_json, words)
        if failed:
            sys.exit(EXIT_FAILED)
