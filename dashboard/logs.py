"""Logs: one form for ours and the libraries', and no secret in any of them.

Every line passes :func:`scrub` as the finished text, after messages, values and tracebacks have been
put together, so it does not matter which library wrote what where.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO

import structlog
from pydantic import SecretStr

HIDDEN = "**********"

# Every rule is linear in the line's length: a broken chat line can be 100 kB without a space.
_NAME = r"(?:token|secret|password|passwd|api[_-]?key|access[_-]?key)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer …, also inside a dict's repr or JSON, escaped or not.
    (
        re.compile(
            r"(?i)(\bauthorization[\\\"']*\s*[:=]\s*[\\\"']*(?:(?:bearer|oauth|basic|token)\s+)?)[^\s\"'\\,})]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|oauth)(\s+)[\w.~+/=-]{16,}"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?i)\b(oauth:)[^\s\"'\\,})]+"), rf"\1{HIDDEN}"),
    # Our own API's keys; what stands before the secret half is no secret.
    (re.compile(r"\b(sl_[a-z0-9]{12}_)[A-Za-z0-9]{43}"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(PASS\s+)(?!oauth:)[^\s\"'\\]+"), rf"\1{HIDDEN}"),
    # client_secret=…, access_token=…: URLs, forms, environment, our own text format.
    (re.compile(rf"(?i)({_NAME}=[\\\"']*)[^\s\"'\\&;,)}}\]]+"), rf"\1{HIDDEN}"),
    # 'client_secret': '…', "token": "…": dicts and JSON, escaped or not.
    (re.compile(rf"(?i)({_NAME}\\*[\"']\s*:\s*\\*[\"'])[^\"'\\]+"), rf"\1{HIDDEN}"),
    # token: 0123456789abcdef, but not "POST /token: invalid client".
    (re.compile(rf"(?i)({_NAME}:\s+)[\w.~+/=-]{{16,}}"), rf"\1{HIDDEN}"),
    # What only URLs call by such a short name.
    (
        re.compile(r"(?i)([?&](?:code|sig|x-amz-(?:signature|credential|security-token))=)[^&\s\"'\\]+"),
        rf"\1{HIDDEN}",
    ),
    # postgresql://user:password@host
    (
        re.compile(r"(\b[a-z][\w+.-]{1,20}://[^\s:/@\"']{0,100}:)[^\s@/\"']{1,200}(?=@)", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
)
_SECRET_KEY = re.compile(rf"(?i)[\w-]*{_NAME}|authorization")
_SHORTEST_SECRET = 6
"""Shorter ones would blot out half of every line."""

# Libraries whose debug lines are whole requests, or a line for every job and hit.
_LOWEST_LEVELS = {
    "aiohttp.access": logging.WARNING,
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    "authlib": logging.INFO,
    "boto3": logging.INFO,
    "botocore": logging.INFO,
    "s3transfer": logging.INFO,
    "urllib3": logging.INFO,
    "websockets": logging.INFO,
}

_AUDIT = "streamlens.audit"

_MOST_SECRETS = 2_000
"""Tokens change every few hours, and every line is searched for every value that is known."""
_known_secrets: dict[str, bool] = {}
"""Whether a value is known for good: those of the settings are told once, tokens at each use."""
_knowing = threading.Lock()


def scrub(text: str) -> str:
    """Removes whatever looks like a secret, and every secret that is known, from a text.

    Args:
        text: Such as a finished log line.

    Returns:
        The text with ``**********`` in the place of tokens, secrets, passwords, ``oauth:`` strings and
        Authorization headers.
    """
    for secret in tuple(_known_secrets):  # Other threads learn of new ones meanwhile.
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def hide(secrets: Iterable[SecretStr | str], *, for_good: bool = False) -> None:
    """Makes values known to :func:`scrub` wherever they turn up, whatever stands before them.

    Args:
        secrets: Empty and very short ones are left out.
        for_good: Else the oldest are forgotten when there are thousands.
    """
    values = (secret.get_secret_value() if isinstance(secret, SecretStr) else secret for secret in secrets)
    with _knowing:
        for value in values:
            if len(value) >= _SHORTEST_SECRET:
                _known_secrets[value] = for_good or _known_secrets.get(value, False)
        if len(_known_secrets) > _MOST_SECRETS:
            passing = [value for value, is_for_good in _known_secrets.items() if not is_for_good]
            for value in passing[: len(_known_secrets) - _MOST_SECRETS]:
                del _known_secrets[value]


def configure_logging(
    level: str = "INFO",
    form: str = "text",
    *,
    secrets: Iterable[SecretStr | str] = (),
    stream: TextIO | None = None,
) -> None:
    """Sets up the logs of this process; calling it again replaces the set-up.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        form: ``text`` for people or ``json`` for machines, one object a line.
        secrets: See :func:`hide`.
        stream: Where to; by default standard error as it is at the time of each line.
    """
    hide(secrets, for_good=True)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _hide_secret_keys,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(
        _ScrubbingFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(form, is_terminal=handler.stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [old for old in root.handlers if not isinstance(old, _Handler)] + [handler]
    root.setLevel(level)
    for name, lowest in _LOWEST_LEVELS.items():
        logging.getLogger(name).setLevel(max(lowest, logging.getLevelNamesMapping()[level]))
    logging.captureWarnings(True)
    _hook_uncaught()


def configure_audit(stream: TextIO | None = None) -> None:
    """Says where the audit log's lines go, always as JSON; by default to standard output.

    Args:
        stream: Another one, for a command whose answer is on standard output.
    """
    handler = _Handler(stream, "stdout")
    handler.setFormatter(_ScrubbingFormatter(processor=structlog.processors.JSONRenderer(ensure_ascii=False)))
    logger = logging.getLogger(_AUDIT)
    logger.handlers = [old for old in logger.handlers if not isinstance(old, _Handler)] + [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def audit_line(values: dict[str, Any]) -> None:
    """Writes one entry of the audit log to where :func:`configure_audit` says."""
    logger = logging.getLogger(_AUDIT)
    if not any(isinstance(handler, _Handler) for handler in logger.handlers):
        configure_audit()
    wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    structlog.wrap_logger(logger, [wrap], wrapper_class=structlog.stdlib.BoundLogger).info("audit", **values)


def _renderers(form: str, *, is_terminal: bool) -> list[Any]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    # Plain tracebacks: the pretty ones print local variables, and those hold tokens.
    formatter = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=formatter)]


def _hide_secret_keys(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: HIDDEN if _SECRET_KEY.fullmatch(key) else value for key, value in event.items()}


class _ScrubbingFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream, or to whatever standard error (or output) is at the moment."""

    def __init__(self, stream: TextIO | None, name: str = "stderr") -> None:
        self._fixed = stream
        self._standard = name
        super().__init__(stream)

    @property
    def stream(self) -> TextIO:
        return self._fixed or getattr(sys, self._standard)

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """The base class sets it; what counts is the fixed one."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class's name)
        # The base class would print the raw message and its arguments.
        error = sys.exc_info()[0]
        kind = error.__name__ if error else "error"
        print(f"A log line of {record.name} could not be written ({kind}).", file=sys.__stderr__)


def _hook_uncaught() -> None:
    """Sends tracebacks that would go straight to the terminal through the logs; never displaces
    a hook that somebody else has set."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _log_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("streamlens").critical("uncaught exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(hook: threading.ExceptHookArgs) -> None:
    if issubclass(hook.exc_type, SystemExit) or hook.exc_value is None:
        return
    name = hook.thread.name if hook.thread else "?"
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None]
    exc_info = (hook.exc_type, hook.exc_value, hook.exc_traceback)
    logging.getLogger("streamlens").critical("uncaught exception in thread %s", name, exc_info=exc_info)
