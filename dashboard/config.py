"""Settings: the only reader of the environment.

Order of precedence: arguments, environment, ``.env``, the YAML file named by
``STREAMLENS_CONFIG`` (default ``streamlens.yaml``), defaults. Every name, with what it does,
stands in ``.env.example``. Secrets are :class:`pydantic.SecretStr` and show as ``**********``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from dashboard.errors import ConfigError

TWITCH_IRC_URL = "wss://irc-ws.chat.twitch.tv:443"
TWITCH_API_URL = "https://api.twitch.tv/helix"
TWITCH_AUTH_URL = "https://id.twitch.tv/oauth2"
TWITCH_EVENTSUB_URL = "wss://eventsub.wss.twitch.tv/ws"

_LOGIN = re.compile(r"[a-z0-9_]{1,25}")

DEFAULT_RETENTION = {"chat_messages": 30, "user_list": 30}

_CURES = {
    "port": "Set PORT to a free port from 1 to 65535, for example PORT=5000.",
    "sandbox_port": "Set SANDBOX_PORT to a free port from 1 to 65534, for example SANDBOX_PORT=5080.",
    "twitch_channels": "Set TWITCH_CHANNELS to logins as in the channel's address, "
    "for example TWITCH_CHANNELS=xqc,cohhcarnage.",
    "retention_days": "Set RETENTION_DAYS to kind=days pairs, for example "
    "RETENTION_DAYS=chat_messages=30,user_list=30 (0 keeps for ever).",
    "twitch_client_secret": "Set both TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET "
    "(dev.twitch.tv/console/apps), or neither.",
    "log_level": "Set LOG_LEVEL to DEBUG, INFO, WARNING or ERROR.",
    "log_format": "Set LOG_FORMAT to text or json.",
}


class Settings(BaseSettings):
    """Everything that can be set, checked and frozen. Build it with :func:`load_settings`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(5000, ge=1, le=65535)

    twitch_channels: Annotated[tuple[str, ...], NoDecode] = ()
    twitch_client_id: str = ""
    twitch_client_secret: SecretStr = SecretStr("")
    twitch_irc_login: str = ""
    twitch_irc_token: SecretStr = SecretStr("")
    twitch_irc_url: str = ""
    twitch_api_url: str = ""
    twitch_auth_url: str = ""
    twitch_eventsub_url: str = ""

    sandbox: bool | None = None
    """Talk to the sandbox instead of Twitch; unset: yes when no channel and no URL is set."""
    sandbox_host: str = "127.0.0.1"
    sandbox_port: int = Field(5080, ge=1, le=65534)
    sandbox_seed: int = 7
    sandbox_channel_count: int = Field(40, ge=1, le=5000)

    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")
    s3_bucket: str = ""
    s3_prefix: str = "streamlens"
    s3_region: str = ""
    s3_endpoint_url: str = ""

    retention_days: Annotated[dict[str, int], NoDecode] = DEFAULT_RETENTION
    opt_out_file: Path | None = None
    """User ids or logins, one a line, whose events are never written."""
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
        path = Path(os.environ.get("STREAMLENS_CONFIG", "streamlens.yaml"))
        if not path.is_file():
            return init_settings, env_settings, dotenv_settings
        yaml_settings = YamlConfigSettingsSource(settings_cls, yaml_file=path)
        return init_settings, env_settings, dotenv_settings, yaml_settings

    @field_validator("twitch_channels", mode="before")
    @classmethod
    def _channels(cls, value: Any) -> tuple[str, ...]:
        parts = re.split(r"[,\s]+", value) if isinstance(value, str) else list(value)
        return parse_channels(parts)

    @field_validator("retention_days", mode="before")
    @classmethod
    def _retention(cls, value: Any) -> dict[str, int]:
        if isinstance(value, dict):
            pairs = [(str(kind), str(days)) for kind, days in value.items()]
        else:
            pairs = [(kind.strip(), days) for kind, _, days in (p.partition("=") for p in value.split(","))]
        for kind, days in pairs:
            if not kind or not days.strip().isdigit():
                raise ValueError(f"“{kind}={days}” is not kind=days")
        return {kind: int(days) for kind, days in pairs}

    @model_validator(mode="after")
    def _credentials_come_in_pairs(self) -> Settings:
        if bool(self.twitch_client_id) != bool(self.twitch_client_secret.get_secret_value()):
            raise ValueError("twitch_client_secret: one of TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET is missing")
        return self

    @property
    def is_sandbox(self) -> bool:
        """Whether the collectors talk to the local stand-in for Twitch."""
        if self.sandbox is not None:
            return self.sandbox
        return not (self.twitch_channels or self.twitch_irc_url or self.twitch_api_url)

    @property
    def has_credentials(self) -> bool:
        """Whether Helix can be asked (in the sandbox it always can)."""
        return self.is_sandbox or bool(self.twitch_client_id)

    @property
    def sandbox_url(self) -> str:
        """Base address of the sandbox, without a slash at the end."""
        return f"http://{self.sandbox_host}:{self.sandbox_port}"

    @property
    def irc_url(self) -> str:
        """Where chat is read."""
        sandbox = f"ws://{self.sandbox_host}:{self.sandbox_port}/irc"
        return self.twitch_irc_url or (sandbox if self.is_sandbox else TWITCH_IRC_URL)

    @property
    def api_url(self) -> str:
        """Base address of Helix."""
        return (self.twitch_api_url or (f"{self.sandbox_url}/helix" if self.is_sandbox else TWITCH_API_URL)).rstrip("/")

    @property
    def auth_url(self) -> str:
        """Base address of OAuth."""
        sandbox = f"{self.sandbox_url}/oauth2"
        return (self.twitch_auth_url or (sandbox if self.is_sandbox else TWITCH_AUTH_URL)).rstrip("/")

    @property
    def client_id(self) -> str:
        """Client id for Helix; the sandbox knows one of its own."""
        return self.twitch_client_id or ("sandbox-client" if self.is_sandbox else "")

    @property
    def client_secret(self) -> SecretStr:
        """Client secret for Helix; the sandbox knows one of its own."""
        if self.twitch_client_id:
            return self.twitch_client_secret
        return SecretStr("sandbox-secret" if self.is_sandbox else "")


def parse_channels(parts: list[str]) -> tuple[str, ...]:
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
        login = re.sub(r"^(https?://)?((www|m)\.)?twitch\.tv/", "", part.lower()).split("/")[0].lstrip("#@")
        if not _LOGIN.fullmatch(login):
            raise ValueError(f"“{part}” is not a Twitch login (letters, digits and _, at most 25)")
        logins[login] = None
    return tuple(logins)


def load_settings(**overrides: Any) -> Settings:
    """Reads and checks all settings.

    Args:
        **overrides: Values that win over every other place (for tests and command flags).

    Returns:
        Frozen settings.

    Raises:
        ConfigError: A value is wrong; the message has its name, its problem and the cure.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem) for problem in error.errors())) from None


def _explain(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    text = re.sub(r"^Value error, ", "", problem["msg"])
    if not name and ":" in text:
        name, text = (part.strip() for part in text.split(":", 1))
    cure = _CURES.get(name, f"See {name.upper()} in .env.example.")
    return f"{name.upper()}: {text}. {cure}"
