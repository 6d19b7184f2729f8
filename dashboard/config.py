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
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from dashboard.config_rules import (
    CURES,
    check_bucket,
    check_connection_url,
    check_data_dir,
    check_host,
    check_url,
    parse_channels,
)
from dashboard.config_sources import read_yaml, yaml_path
from dashboard.errors import ConfigError

__all__ = ["DEFAULT_RETENTION", "Settings", "load_settings", "parse_channels"]

TWITCH_IRC_URL = "wss://irc-ws.chat.twitch.tv:443"
TWITCH_API_URL = "https://api.twitch.tv/helix"
TWITCH_AUTH_URL = "https://id.twitch.tv/oauth2"
TWITCH_EVENTSUB_URL = "wss://eventsub.wss.twitch.tv/ws"

DEFAULT_RETENTION = {"chat_messages": 30, "user_list": 30}

_ANONYMOUS_LOGIN = re.compile(r"justinfan\d+")


class Settings(BaseSettings):
    """Everything that can be set, checked and frozen. Build it with :func:`load_settings`."""

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

    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")
    s3_bucket: str = ""
    s3_prefix: str = "streamlens"
    s3_region: str = ""
    s3_endpoint_url: str = ""
    aws_access_key_id: str = ""
    """Standard names, read here so that ``.env`` can hold them; unset: boto3's own search."""
    aws_secret_access_key: SecretStr = SecretStr("")
    aws_session_token: SecretStr = SecretStr("")

    retention_days: Annotated[dict[str, int], NoDecode] = DEFAULT_RETENTION
    """Kinds that are not named keep their default; 0 keeps for ever."""
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
        sources = (init_settings, env_settings, dotenv_settings)
        path = yaml_path(os.environ)
        if path is None:
            return sources
        return *sources, InitSettingsSource(settings_cls, read_yaml(path, cls.model_fields))

    @field_validator("data_dir", "opt_out_file")
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

    @field_validator("twitch_api_url", "twitch_auth_url", "s3_endpoint_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        return check_url(value, ("https", "http"))

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: SecretStr) -> SecretStr:
        return SecretStr(check_connection_url(value.get_secret_value(), ("sqlite", "postgresql")))

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr) -> SecretStr:
        return SecretStr(check_connection_url(value.get_secret_value(), ("redis", "rediss", "unix")))

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

    @field_validator("opt_out_file")
    @classmethod
    def _opt_out_file_is_there(cls, value: Path | None) -> Path | None:
        # People on the list would be written if a wrong path passed in silence.
        if value and not (value.is_file() and os.access(value, os.R_OK)):
            raise ValueError(f"there is no readable file {value}")
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _case_is_free(cls, value: Any, info: Any) -> Any:
        if not isinstance(value, str):
            return value
        return value.strip().upper() if info.field_name == "log_level" else value.strip().lower()

    @model_validator(mode="after")
    def _values_fit_together(self) -> Settings:
        if bool(self.twitch_client_id) != bool(self.twitch_client_secret.get_secret_value()):
            raise ValueError(
                "twitch_client_secret: one of TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET is missing"
            )
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key.get_secret_value()):
            raise ValueError(
                "aws_secret_access_key: one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is missing"
            )
        has_token = bool(self.twitch_irc_token.get_secret_value())
        if has_token and not self.twitch_irc_login:
            raise ValueError("twitch_irc_token: TWITCH_IRC_LOGIN is missing")
        if self.twitch_irc_login and not has_token and not _ANONYMOUS_LOGIN.fullmatch(self.twitch_irc_login):
            raise ValueError("twitch_irc_login: TWITCH_IRC_TOKEN is missing")
        # The sandbox listens for plain TCP on the port after its own.
        if self.is_sandbox and self.port in (self.sandbox_port, self.sandbox_port + 1):
            raise ValueError(
                f"sandbox_port: the sandbox needs {self.sandbox_port} and the next port, PORT is one"
            )
        return self

    @property
    def is_sandbox(self) -> bool:
        """Whether the collectors talk to the local stand-in for Twitch."""
        if self.sandbox is not None:
            return self.sandbox
        return not (
            self.twitch_channels
            or self.twitch_client_id
            or self.twitch_irc_login
            or self.twitch_irc_url
            or self.twitch_api_url
        )

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
    def irc_login(self) -> str:
        """Login to read chat as; empty for an anonymous one."""
        return "" if self._is_sandbox_chat else self.twitch_irc_login

    @property
    def irc_token(self) -> SecretStr:
        """Its token; empty without one."""
        return SecretStr("") if self._is_sandbox_chat else self.twitch_irc_token

    @property
    def _is_sandbox_chat(self) -> bool:
        # As with the credentials: a real token must neither break SANDBOX=true nor be sent to it.
        return self.is_sandbox and not self.twitch_irc_url

    @property
    def api_url(self) -> str:
        """Base address of Helix."""
        return self.twitch_api_url or (f"{self.sandbox_url}/helix" if self.is_sandbox else TWITCH_API_URL)

    @property
    def auth_url(self) -> str:
        """Base address of OAuth."""
        return self.twitch_auth_url or (f"{self.sandbox_url}/oauth2" if self.is_sandbox else TWITCH_AUTH_URL)

    @property
    def client_id(self) -> str:
        """Client id for Helix; the sandbox knows one of its own."""
        return "sandbox-client" if self._uses_sandbox_credentials else self.twitch_client_id

    @property
    def client_secret(self) -> SecretStr:
        """Client secret for Helix; the sandbox knows one of its own."""
        return SecretStr("sandbox-secret") if self._uses_sandbox_credentials else self.twitch_client_secret

    @property
    def _uses_sandbox_credentials(self) -> bool:
        # Real credentials in .env must neither break SANDBOX=true nor be sent to it.
        return self.is_sandbox and not (self.twitch_client_id and self.twitch_auth_url)


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


def load_settings(**overrides: Any) -> Settings:
    """Reads and checks all settings.

    Args:
        **overrides: Values that win over every other place (for tests and command flags).

    Returns:
        Frozen settings.

    Raises:
        ConfigError: A value is wrong; the message has its name, its problem and the cure, one line
            for each.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem) for problem in error.errors())) from None
    except SettingsError as error:
        raise ConfigError(f"{error}. All names stand in .env.example.") from None
    except UnicodeDecodeError:
        raise ConfigError(".env: not UTF-8 text. Save the file as UTF-8.") from None
    except OSError as error:
        raise ConfigError(
            f"{error.filename or '.env'}: can't be read ({error.strerror}). Check its owner and mode."
        ) from None
    try:
        check_data_dir(settings.data_dir)
    except ValueError as error:
        raise ConfigError(f"DATA_DIR: {error}. {CURES['data_dir']}") from None
    return settings


def _explain(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    text = re.sub(r"^Value error, ", "", problem["msg"])
    if not name:
        name, text = (part.strip() for part in text.split(":", 1))
    return f"{name.upper()}: {text.rstrip('.')}. {CURES[name]}"
