"""The settings' names, defaults and checks; what each does stands in ``.env.example``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dashboard.config_rules import (
    check_bucket,
    check_connection_url,
    check_host,
    check_url,
    parse_channels,
    split_list,
)
from dashboard.config_rules_more import (
    check_eventsub_secret,
    check_origins,
    check_secret_key,
    check_user_ids,
    check_zone,
    parse_zones,
)
from dashboard.config_sources import read_yaml, yaml_path

DEFAULT_RETENTION = {
    "chat_messages": 30,
    "user_list": 30,
    "notifications": 30,
    "chatters": 30,
    "speakers": 30,
    "survey_presence": 30,
    "subscribers": 90,
}

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""


class Fields(BaseSettings):
    """Everything that can be set, checked and frozen."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )

    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(5000, ge=1, le=65535)

    twitch_channels: Annotated[tuple[str, ...], NoDecode] = ()
    twitch_client_id: str = ""
    twitch_client_secret: SecretStr = SecretStr("")
    twitch_irc_login: str = ""
    twitch_irc_token: SecretStr = SecretStr("")
    """Kept without ``oauth:``; IRC's PASS wants it in front."""
    twitch_irc_url: str = ""
    twitch_api_url: str = ""
    twitch_auth_url: str = ""
    twitch_eventsub_url: str = ""

    sandbox: bool | None = None
    """Talk to the sandbox instead of Twitch; unset: yes when nothing of Twitch is set."""
    sandbox_host: str = "127.0.0.1"
    sandbox_port: int = Field(5080, ge=1, le=65534)
    sandbox_seed: int = 7
    sandbox_channel_count: int = Field(40, ge=1, le=5000)

    public_url: str = ""
    """How this server is reached from outside; needed for webhooks, and for login behind a proxy."""
    trusted_proxy_count: int = Field(0, ge=0, le=5)
    login: str = Field("auto", pattern="^(auto|required|off)$")
    allowed_user_ids: Annotated[tuple[str, ...], NoDecode] = ()
    admin_user_ids: Annotated[tuple[str, ...], NoDecode] = ()
    public_channels: Annotated[tuple[str, ...], NoDecode] = ()
    """Channels that everybody who may log in sees."""
    secret_key: SecretStr = SecretStr("")
    """Encrypts the stored tokens; unset: a key in a file of the data folder that only its owner reads."""
    session_hours: float = Field(24 * 7, gt=0)

    eventsub_transport: str = Field("auto", pattern="^(auto|websocket|webhook|conduit|off)$")
    eventsub_secret: SecretStr = SecretStr("")
    eventsub_chat: bool = False
    """Read chat over EventSub besides IRC, where a user token allows it."""

    api_requests_per_min: int = Field(300, ge=1)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    time_zone: str = "UTC"
    """Of the channels that have none of their own in CHANNEL_TIME_ZONES."""
    channel_time_zones: Annotated[dict[str, str], NoDecode] = {}
    survey_channel_count: int = Field(0, ge=0, le=5000)
    """How many of the platform's largest live channels the hourly survey reads; 0 switches it off."""
    survey_minutes: float = Field(10, gt=0, le=60)

    max_saved_sessions: int = Field(20, ge=0, le=1000)
    """How many analysis sessions one person may save; one that is not saved ends after a day."""

    database_url: SecretStr = SecretStr("")
    s3_bucket: str = ""
    s3_prefix: str = "streamlens"
    s3_region: str = ""
    s3_endpoint_url: str = ""
    aws_access_key_id: str = ""
    """Standard names, read here so that ``.env`` can hold them; unset: boto3's own search."""
    aws_secret_access_key: SecretStr = SecretStr("")
    aws_session_token: SecretStr = SecretStr("")

    s3_connect_timeout_s: float = Field(5, gt=0)
    s3_read_timeout_s: float = Field(60, gt=0)

    retention_days: Annotated[dict[str, int], NoDecode] = DEFAULT_RETENTION
    """Kinds that are not named keep their default; 0 keeps for ever."""
    opt_out_file: Path | None = None
    """User ids or logins, one a line, whose events are never written."""
    service_accounts_file: Path | None = None
    """User ids or logins, one a line, that Chatters keeps apart as services, besides the shipped ones."""
    ingest_queue_events: int = Field(50_000, ge=1_000)
    flush_interval_s: float = Field(0.4, gt=0, le=1)
    query_timeout_s: float = Field(30, gt=0)
    query_threads: int = Field(2, ge=1)
    query_memory_mb: int = Field(1024, ge=128)
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: str = Field("text", pattern="^(text|json)$")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources = (init_settings, env_settings, dotenv_settings)
        path = yaml_path(os.environ)
        if path is None:
            return sources
        return *sources, InitSettingsSource(settings_cls, read_yaml(path, cls.model_fields))

    @field_validator("data_dir", "opt_out_file", "service_accounts_file")
    @classmethod
    def _home_is_expanded(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else value

    @field_validator("host", "sandbox_host")
    @classmethod
    def _host_is_bare(cls, value: str) -> str:
        return check_host(value)

    @field_validator("twitch_channels", mode="before")
    @classmethod
    def _channels(cls, value: Any) -> tuple[str, ...]:
        if isinstance(value, (list, tuple)):
            return parse_channels([str(part) for part in value])
        return parse_channels(re.split(r"[,\s]+", str(value)))

    @field_validator("public_channels", mode="before")
    @classmethod
    def _public_channels(cls, value: Any) -> tuple[str, ...]:
        return cls._channels(value)

    @field_validator("allowed_user_ids", "admin_user_ids", mode="before")
    @classmethod
    def _user_ids(cls, value: Any) -> tuple[str, ...]:
        return check_user_ids(split_list(value))

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: Any) -> tuple[str, ...]:
        return check_origins(split_list(value))

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return check_zone(value)

    @field_validator("channel_time_zones", mode="before")
    @classmethod
    def _zones(cls, value: Any) -> dict[str, str]:
        return parse_zones(value)

    @field_validator("eventsub_secret")
    @classmethod
    def _eventsub_secret(cls, value: SecretStr) -> SecretStr:
        return SecretStr(check_eventsub_secret(value.get_secret_value()))

    @field_validator("secret_key")
    @classmethod
    def _secret_key(cls, value: SecretStr) -> SecretStr:
        return SecretStr(check_secret_key(value.get_secret_value()))

    @field_validator("twitch_client_id", "twitch_irc_login", "aws_access_key_id", mode="after")
    @classmethod
    def _spaces_are_cut(cls, value: str) -> str:
        return value.strip()

    @field_validator("twitch_client_secret", "aws_secret_access_key", "aws_session_token")
    @classmethod
    def _secret_is_one_word(cls, value: SecretStr) -> SecretStr:
        return SecretStr(value.get_secret_value().strip())

    @field_validator("twitch_irc_token")
    @classmethod
    def _token_is_bare(cls, value: SecretStr) -> SecretStr:
        return SecretStr(re.sub(r"^oauth:", "", value.get_secret_value().strip(), flags=re.IGNORECASE))

    @field_validator("twitch_irc_url")
    @classmethod
    def _irc_url(cls, value: str) -> str:
        return check_url(value, ("wss", "ws", "ircs", "irc"))

    @field_validator("twitch_eventsub_url")
    @classmethod
    def _websocket_url(cls, value: str) -> str:
        return check_url(value, ("wss", "ws"))

    @field_validator("twitch_api_url", "twitch_auth_url", "s3_endpoint_url", "public_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        return check_url(value, ("https", "http"))

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: SecretStr) -> SecretStr:
        return SecretStr(check_connection_url(value.get_secret_value(), ("sqlite", "postgresql", "postgres")))

    @field_validator("s3_bucket")
    @classmethod
    def _bucket(cls, value: str) -> str:
        return check_bucket(value)

    @field_validator("s3_prefix")
    @classmethod
    def _prefix_is_bare(cls, value: str) -> str:
        return value.strip().strip("/")

    @field_validator("retention_days", mode="before")
    @classmethod
    def _retention(cls, value: Any) -> dict[str, int]:
        return DEFAULT_RETENTION | parse_retention(value)

    @field_validator("opt_out_file", "service_accounts_file")
    @classmethod
    def _file_is_there(cls, value: Path | None) -> Path | None:
        # People on the list would be written if a wrong path passed in silence.
        if value and not (value.is_file() and os.access(value, os.R_OK)):
            raise ValueError(f"there is no readable file {value}")
        return value

    @field_validator("log_level", "log_format", "login", "eventsub_transport", mode="before")
    @classmethod
    def _case_is_free(cls, value: Any, info: Any) -> Any:
        if not isinstance(value, str):
            return value
        return value.strip().upper() if info.field_name == "log_level" else value.strip().lower()


def parse_retention(value: Any) -> dict[str, int]:
    """Turns ``kind=days`` pairs (or a mapping, from YAML) into days by kind.

    Args:
        value: ``chat_messages=30,user_list=0`` or ``{"chat_messages": 30}``.

    Returns:
        Days by kind; 0 keeps for ever.

    Raises:
        ValueError: A pair is broken, or its kind does not exist.
    """
    from dashboard.events import KINDS  # pyarrow comes with it: only who sets this waits for it

    if isinstance(value, dict):
        pairs = [(str(kind), str(days)) for kind, days in value.items()]
    else:
        split = (pair.partition("=") for pair in str(value).split(",") if pair.strip())
        pairs = [(kind.strip(), days.strip()) for kind, _, days in split]
    for kind, days in pairs:
        if not days.isdecimal():
            raise ValueError(f"“{kind}={days}” is not kind=days")
        if kind not in KINDS:
            raise ValueError(f"there is no kind “{kind}” (there are {', '.join(KINDS)})")
    return {kind: int(days) for kind, days in pairs}
