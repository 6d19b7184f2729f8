"""What a setting may hold, and the words that help when it does not.

Pure checks of single values; a ``ValueError`` names the problem and never repeats a value that
can be a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")

_BOTH_OR_NEITHER = (
    "Set both TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps), or neither."
)
_S3_KEYS = (
    "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or neither to use the machine's own AWS profile or role."
)

CURES = {
    "data_dir": "Set DATA_DIR to a folder that you may write to, for example DATA_DIR=data.",
    "host": "Set HOST to an address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for all.",
    "port": "Set PORT to a free port from 1 to 65535, for example PORT=5000.",
    "twitch_channels": "Set TWITCH_CHANNELS to logins as in the channel's address, "
    "for example TWITCH_CHANNELS=xqc,cohhcarnage.",
    "twitch_client_id": _BOTH_OR_NEITHER,
    "twitch_client_secret": _BOTH_OR_NEITHER,
    "twitch_irc_login": "Set TWITCH_IRC_LOGIN to the login that TWITCH_IRC_TOKEN belongs to, "
    "or unset both to read chat anonymously.",
    "twitch_irc_token": "Set TWITCH_IRC_TOKEN to a user token with chat:read (with or without oauth: "
    "in front) and TWITCH_IRC_LOGIN to its login, or unset both to read chat anonymously.",
    "twitch_irc_url": "Unset TWITCH_IRC_URL for Twitch's own, or set it like "
    "TWITCH_IRC_URL=wss://irc-ws.chat.twitch.tv:443.",
    "twitch_api_url": "Unset TWITCH_API_URL for Twitch's own, or set it like "
    "TWITCH_API_URL=https://api.twitch.tv/helix.",
    "twitch_auth_url": "Unset TWITCH_AUTH_URL for Twitch's own, or set it like "
    "TWITCH_AUTH_URL=https://id.twitch.tv/oauth2.",
    "twitch_eventsub_url": "Unset TWITCH_EVENTSUB_URL for Twitch's own, or set it like "
    "TWITCH_EVENTSUB_URL=wss://eventsub.wss.twitch.tv/ws.",
    "sandbox": "Set SANDBOX to true or false, or unset it: "
    "then the sandbox stands in as long as nothing of Twitch is set.",
    "sandbox_host": "Set SANDBOX_HOST to an address to listen on, for example SANDBOX_HOST=127.0.0.1.",
    "sandbox_port": "Set SANDBOX_PORT to a free port from 1 to 65534 other than PORT, "
    "for example SANDBOX_PORT=5080.",
    "sandbox_seed": "Set SANDBOX_SEED to a whole number, for example SANDBOX_SEED=7.",
    "sandbox_channel_count": "Set SANDBOX_CHANNEL_COUNT to a number from 1 to 5000, "
    "for example SANDBOX_CHANNEL_COUNT=40.",
    "public_url": "Set PUBLIC_URL to the address at which Twitch and browsers reach this server, "
    "for example PUBLIC_URL=https://streamlens.example.org.",
    "trusted_proxy_count": "Set TRUSTED_PROXY_COUNT to the number of reverse proxies in front, 0 to 5.",
    "login": "Set LOGIN to auto, required or off.",
    "allowed_user_ids": "Set ALLOWED_USER_IDS to Twitch user ids (numbers, not logins) with commas between.",
    "admin_user_ids": "Set ADMIN_USER_IDS to Twitch user ids that are in ALLOWED_USER_IDS too.",
    "public_channels": "Set PUBLIC_CHANNELS to logins with commas between, such as PUBLIC_CHANNELS=name1.",
    "secret_key": "Unset SECRET_KEY for one in DATA_DIR, or set it to 32 characters or more, for example "
    "the output of: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
    "session_hours": "Set SESSION_HOURS to a number above 0, for example SESSION_HOURS=168.",
    "eventsub_transport": "Set EVENTSUB_TRANSPORT to auto, websocket, webhook, conduit or off; "
    "a webhook needs PUBLIC_URL=https://… on port 443.",
    "eventsub_secret": "Unset EVENTSUB_SECRET for one in DATA_DIR, or set it to 10 to 100 ASCII characters.",
    "eventsub_chat": "Set EVENTSUB_CHAT to true or false.",
    "api_requests_per_min": "Set API_REQUESTS_PER_MIN to 1 or more, for example API_REQUESTS_PER_MIN=300.",
    "cors_origins": "Set CORS_ORIGINS to origins with commas between, for example "
    "CORS_ORIGINS=https://tools.example.org.",
    "time_zone": "Set TIME_ZONE to a name such as TIME_ZONE=Europe/Berlin.",
    "channel_time_zones": "Set CHANNEL_TIME_ZONES to login=zone pairs, for example "
    "CHANNEL_TIME_ZONES=name1=Europe/Berlin,name2=America/New_York.",
    "survey_channel_count": "Set SURVEY_CHANNEL_COUNT to a number from 0 (off) to 5000, for example "
    "SURVEY_CHANNEL_COUNT=1000.",
    "survey_minutes": "Set SURVEY_MINUTES to minutes above 0 and up to 60, for example SURVEY_MINUTES=10.",
    "max_saved_sessions": "Set MAX_SAVED_SESSIONS to a number from 0 to 1000, such as MAX_SAVED_SESSIONS=20.",
    "s3_connect_timeout_s": "Set S3_CONNECT_TIMEOUT_S to seconds above 0, such as S3_CONNECT_TIMEOUT_S=5.",
    "s3_read_timeout_s": "Set S3_READ_TIMEOUT_S to seconds above 0, for example S3_READ_TIMEOUT_S=60.",
    "database_url": "Unset DATABASE_URL for SQLite in DATA_DIR, or set it like "
    "DATABASE_URL=postgresql://user:password@host/database.",
    "s3_bucket": "Set S3_BUCKET to the bucket's bare name (no s3://, no folders), or unset it to keep "
    "everything on this machine.",
    "s3_prefix": "Set S3_PREFIX to a folder in the bucket, for example S3_PREFIX=streamlens.",
    "s3_region": "Set S3_REGION to the bucket's region, for example S3_REGION=eu-central-1.",
    "s3_endpoint_url": "Unset S3_ENDPOINT_URL for AWS, or set it to your server's address, for example "
    "S3_ENDPOINT_URL=https://minio.example.org:9000.",
    "aws_access_key_id": _S3_KEYS,
    "aws_secret_access_key": _S3_KEYS,
    "aws_session_token": "Set AWS_SESSION_TOKEN only with temporary keys, together with them.",
    "retention_days": "Set RETENTION_DAYS to kind=days pairs, for example "
    "RETENTION_DAYS=chat_messages=30,user_list=30 (0 keeps for ever).",
    "opt_out_file": "Set OPT_OUT_FILE to a text file with one user id or login a line.",
    "service_accounts_file": "Set SERVICE_ACCOUNTS_FILE to a text file with one user id or login a line.",
    "ingest_queue_events": "Set INGEST_QUEUE_EVENTS to 1000 or more, for example INGEST_QUEUE_EVENTS=50000.",
    "flush_interval_s": "Set FLUSH_INTERVAL_S to seconds above 0 and up to 1, "
    "for example FLUSH_INTERVAL_S=0.4.",
    "query_timeout_s": "Set QUERY_TIMEOUT_S to seconds above 0, for example QUERY_TIMEOUT_S=30.",
    "query_threads": "Set QUERY_THREADS to 1 or more, for example QUERY_THREADS=2.",
    "query_memory_mb": "Set QUERY_MEMORY_MB to 128 or more, for example QUERY_MEMORY_MB=1024.",
    "log_level": "Set LOG_LEVEL to DEBUG, INFO, WARNING or ERROR.",
    "log_format": "Set LOG_FORMAT to text or json.",
}
"""What to do about a wrong value, one for every setting."""


def parse_channels(parts: Iterable[str]) -> tuple[str, ...]:
    """Turns what a person typed into channel logins.

    Args:
        parts: Logins, ``#logins`` or addresses like ``https://www.twitch.tv/name``, any case.

    Returns:
        Lower-case logins, each once, in the order given.

    Raises:
        ValueError: A part is not a login; the message names it.
    """
    logins: dict[str, None] = {}
    for part in filter(None, (p.strip() for p in parts)):
        bare = re.sub(r"^(https?://)?((www|m)\.)?twitch\.tv/", "", part.lower())
        login = re.split(r"[/?]", bare)[0].lstrip("#@")
        if not _LOGIN.fullmatch(login):
            raise ValueError(f"“{part}” is not a Twitch login (letters, digits and _, at most 25)")
        logins[login] = None
    return tuple(logins)


def split_list(value: object) -> list[str]:
    """The parts of a list as a person writes it: a YAML list, or text with commas or spaces between."""
    if isinstance(value, (list, tuple)):
        return [str(part).strip() for part in value]
    return [part for part in re.split(r"[,\s]+", str(value)) if part]


def check_url(value: str, schemes: Iterable[str]) -> str:
    """Makes sure that an address can be called, before a collector tries it for hours.

    Args:
        value: The address; empty stays empty.
        schemes: The schemes it may have.

    Returns:
        The address without spaces around it and without a slash at the end.

    Raises:
        ValueError: It is not such an address.
    """
    text = value.strip()
    if not text:
        return ""
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        url = urlsplit(text)
        port_is_wrong = url.port == 0
    except ValueError:
        raise ValueError("not a valid address (check host and port)") from None
    if url.scheme not in schemes:
        raise ValueError(f"the address must start with {wanted}")
    if not url.hostname or re.search(r"\s", text) or port_is_wrong:
        raise ValueError("not a valid address (check host and port)")
    if url.username is not None or url.query or url.fragment:
        raise ValueError("the address must have no user, password, “?” or “#” in it")
    return text.rstrip("/")


def check_connection_url(value: str, schemes: Iterable[str]) -> str:
    """Makes sure of the scheme of an address that may carry a password.

    Args:
        value: The address; empty stays empty.
        schemes: The schemes it may have; ``x`` also allows ``x+driver``.

    Returns:
        The address without spaces around it.

    Raises:
        ValueError: The scheme is another; the message has nothing of the address.
    """
    text = value.strip()
    if text and text.partition("://")[0].partition("+")[0] not in schemes:
        raise ValueError("the address must start with " + " or ".join(f"{scheme}://" for scheme in schemes))
    return text


def check_host(value: str) -> str:
    """Makes sure that a value is a bare host name or address.

    Raises:
        ValueError: It is something else, such as a URL.
    """
    if not _HOST.fullmatch(value.strip()):
        raise ValueError("not a host name or address")
    return value.strip()


def check_bucket(value: str) -> str:
    """Makes sure that a value can be a bucket's name.

    Raises:
        ValueError: It can't.
    """
    if value.strip() and not _BUCKET.fullmatch(value.strip()):
        raise ValueError("not a bucket name (3 to 63 letters, digits, “.”, “_” and “-”)")
    return value.strip()


def check_data_dir(path: Path) -> None:
    """Makes sure that data can be written, before anything is collected for nothing.

    Looks only: the folder is made by whoever writes first.

    Raises:
        ValueError: The path is a file, or the folder (or where it would be made) is not writable.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is not a folder")
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise ValueError(f"{path} can't be made: {nearest} is not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"{nearest} is not writable for this user")
