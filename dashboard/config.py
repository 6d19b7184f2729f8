"""Settings: the only reader of the environment.

Order of precedence: arguments, environment, ``.env``, the YAML file named by
``STREAMLENS_CONFIG`` (default ``streamlens.yaml``), defaults. Every name, with what it does,
stands in ``.env.example``. Secrets are :class:`pydantic.SecretStr` and show as ``**********``.
"""

from __future__ import annotations

import re
from typing import Any, Self

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import SettingsError

from dashboard.config_fields import DEFAULT_RETENTION, LOOPBACK_HOSTS, Fields, parse_retention
from dashboard.config_rules import CURES, check_data_dir, parse_channels
from dashboard.errors import ConfigError

__all__ = ["DEFAULT_RETENTION", "Settings", "load_settings", "parse_channels", "parse_retention"]

_ANONYMOUS_LOGIN = re.compile(r"justinfan\d+")

TWITCH_IRC_URL = "wss://irc-ws.chat.twitch.tv:443"
TWITCH_API_URL = "https://api.twitch.tv/helix"
TWITCH_AUTH_URL = "https://id.twitch.tv/oauth2"
TWITCH_EVENTSUB_URL = "wss://eventsub.wss.twitch.tv/ws"


class Settings(Fields):
    """Everything that can be set, and what follows from it. Build it with :func:`load_settings`."""

    @model_validator(mode="after")
    def _values_fit_together(self) -> Self:
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
        strangers = set(self.admin_user_ids) - set(self.allowed_user_ids)
        if self.allowed_user_ids and strangers:
            raise ValueError(f"admin_user_ids: {', '.join(sorted(strangers))} is not in ALLOWED_USER_IDS")
        if self.eventsub_transport == "webhook" and not self.public_url:
            raise ValueError("eventsub_transport: a webhook needs PUBLIC_URL")
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
    def eventsub_url(self) -> str:
        """Where EventSub's WebSocket is."""
        sandbox = f"ws://{self.sandbox_host}:{self.sandbox_port}/ws"
        return self.twitch_eventsub_url or (sandbox if self.is_sandbox else TWITCH_EVENTSUB_URL)

    @property
    def is_loopback(self) -> bool:
        """Whether the pages can be reached from this machine only."""
        return self.host in LOOPBACK_HOSTS

    @property
    def needs_login(self) -> bool:
        """Whether nobody sees anything without a login."""
        return self.login == "required" or (self.login == "auto" and not self.is_loopback)

    @property
    def base_url(self) -> str:
        """How a browser reaches this server, without a slash at the end."""
        host = "localhost" if self.is_loopback or self.host in ("0.0.0.0", "::") else self.host
        return self.public_url or f"http://{host}:{self.port}"

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
