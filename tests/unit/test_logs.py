"""The logs: one form for all, and no secret in any line, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from multidict import CIMultiDict, CIMultiDictProxy
from pydantic import SecretStr
from yarl import URL

import dashboard.logs
from dashboard.logs import HIDDEN, configure_logging, scrub

TOKEN = "jostpf5q0uzmxmkba9iyug38kjtgh1"  # as in Twitch's documentation


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves the process's logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    names = list(dashboard.logs._LOWEST_LEVELS)
    levels = {name: logging.getLogger(name).level for name in names}
    monkeypatch.setattr(dashboard.logs, "_known_secrets", {})
    yield
    root.handlers, root.level = handlers, level
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def logging_to(form: str, level: str = "DEBUG", secrets: tuple[SecretStr, ...] = ()) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(level, form, secrets=secrets, stream=stream)
    return stream


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (f"Authorization: Bearer {TOKEN}", f"Authorization: Bearer {HIDDEN}"),
        ("authorization: OAuth short", f"authorization: OAuth {HIDDEN}"),
        ("{'Authorization': 'Bearer abc', 'x': 1}", f"{{'Authorization': 'Bearer {HIDDEN}', 'x': 1}}"),
        (r"{\"Authorization\": \"Bearer abc\"}", rf"{{\"Authorization\": \"Bearer {HIDDEN}\"}}"),
        (f"('Authorization', 'Bearer {TOKEN}')", f"('Authorization', 'Bearer {HIDDEN}')"),
        (f"PASS oauth:{TOKEN}\r\n", f"PASS oauth:{HIDDEN}\r\n"),
        ("PASS hunter2", f"PASS {HIDDEN}"),
        (
            "POST https://id.twitch.tv/oauth2/token?client_id=a&client_secret=b&grant_type=client_credentials",
            f"POST https://id.twitch.tv/oauth2/token?client_id=a&client_secret={HIDDEN}"
            "&grant_type=client_credentials",
        ),
        ("/callback?code=abc&state=x", f"/callback?code={HIDDEN}&state=x"),
        (
            "access_token=a refresh_token='b' token=c",
            f"access_token={HIDDEN} refresh_token='{HIDDEN}' token={HIDDEN}",
        ),
        ('{"access_token":"a","expires_in":1}', f'{{"access_token":"{HIDDEN}","expires_in":1}}'),
        (r"{\"client_secret\": \"a b\"}", rf"{{\"client_secret\": \"{HIDDEN}\"}}"),
        ("{'refresh_token': 'a'}", f"{{'refresh_token': '{HIDDEN}'}}"),
        ("TWITCH_CLIENT_SECRET=abc", f"TWITCH_CLIENT_SECRET={HIDDEN}"),
        ("AWS_SECRET_ACCESS_KEY=abc", f"AWS_SECRET_ACCESS_KEY={HIDDEN}"),
        (f"token: {TOKEN}", f"token: {HIDDEN}"),
        ("postgresql://me:hunter2@host/db", f"postgresql://me:{HIDDEN}@host/db"),
        ("redis://:hunter2@host", f"redis://:{HIDDEN}@host"),
        ("s3://b?X-Amz-Signature=ab&X-Amz-Date=1", f"s3://b?X-Amz-Signature={HIDDEN}&X-Amz-Date=1"),
    ],
)
def test_what_is_removed(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "POST /token: invalid client secret",
        "Twitch refused the application's credentials. Check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET",
        "exit code=1, token_type=bearer",
        "OAuth gives out a token that it does not accept",
        "https://api.twitch.tv/helix/streams?user_login=a&first=100",
        "at 12:30:01 in http://127.0.0.1:5000/live",
        "joined #secret_token room, secrets: none",
    ],
)
def test_what_stays(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize("form", ["text", "json"])
def test_our_own_lines(form: str) -> None:
    stream = logging_to(form)
    log = structlog.get_logger("collectors.helix")
    log.warning(
        "poll failed", token=TOKEN, client_secret=SecretStr("x"), url=f"http://h/?token={TOKEN}", count=3
    )
    line = stream.getvalue()
    assert TOKEN not in line
    assert "poll failed" in line
    assert "collectors.helix" in line
    assert HIDDEN in line


def test_json_is_one_object_a_line() -> None:
    stream = logging_to("json")
    structlog.get_logger("ours").info("it’s on", count=3)
    logging.getLogger("theirs").warning("token=%s", TOKEN)
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    timestamp = ours.pop("timestamp")
    assert timestamp.endswith("Z")
    assert ours == {"event": "it’s on", "count": 3, "level": "info", "logger": "ours"}
    assert (theirs["event"], theirs["level"], theirs["logger"]) == (f"token={HIDDEN}", "warning", "theirs")


@pytest.mark.parametrize("form", ["text", "json"])
def test_exceptions_of_ours_and_of_libraries(form: str) -> None:
    stream = logging_to(form)
    for log in (structlog.get_logger("ours"), logging.getLogger("twitchio")):
        try:
            in_the_locals = TOKEN
            raise ValueError(f"https://id.twitch.tv/oauth2/validate?token={in_the_locals}")
        except ValueError:
            log.exception("it broke")
    text = stream.getvalue()
    assert TOKEN not in text
    assert text.count("ValueError: https://id.twitch.tv/oauth2/validate?token=") == 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_aiohttp_error_with_its_request(form: str) -> None:
    stream = logging_to(form)
    headers = CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {TOKEN}"}))
    request = aiohttp.RequestInfo(URL(f"http://h/?client_secret={TOKEN}"), "GET", headers, URL("http://h/"))
    error = aiohttp.ClientResponseError(request, (), status=401, message=f"oauth:{TOKEN}")
    logging.getLogger("aiohttp.client").error("%r", error)
    structlog.get_logger("ours").error("failed", error=error, request=request)
    assert TOKEN not in stream.getvalue()
    assert stream.getvalue().count(HIDDEN) >= 3


def test_known_secrets_go_wherever_they_turn_up() -> None:
    stream = logging_to("text", secrets=(SecretStr("correct horse"), SecretStr(""), SecretStr("abc")))
    logging.getLogger("x").info("they said correct horse, abc")
    assert f"they said {HIDDEN}, abc" in stream.getvalue()


def test_levels() -> None:
    stream = logging_to("text", "INFO")
    structlog.get_logger("ours").debug("hidden")
    logging.getLogger("theirs").debug("hidden")
    logging.getLogger("aiohttp.access").info("hidden")
    assert stream.getvalue() == ""
    logging_to("text", "DEBUG")
    assert logging.getLogger("botocore").getEffectiveLevel() == logging.INFO, "its debug lines are requests"
    logging_to("text", "ERROR")
    assert logging.getLogger("botocore").getEffectiveLevel() == logging.ERROR


def test_a_second_set_up_replaces_the_first() -> None:
    first = logging_to("text")
    second = logging_to("text")
    logging.getLogger("x").warning("once")
    assert (first.getvalue(), second.getvalue().count("once")) == ("", 1)


def test_warnings_of_python_go_the_same_way() -> None:
    stream = logging_to("text")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # captureWarnings replaces the function that the context manager puts back.
        warnings.showwarning(UserWarning(f"token={TOKEN}"), UserWarning, "file.py", 1)
    assert f"token={HIDDEN}" in stream.getvalue()


def test_a_line_that_can_not_be_put_together_shows_no_arguments(capfd: pytest.CaptureFixture[str]) -> None:
    logging_to("text")
    record = logging.LogRecord("x", logging.INFO, "file.py", 1, "%d", (TOKEN,), None)
    (ours,) = [it for it in logging.getLogger().handlers if isinstance(it, dashboard.logs._Handler)]
    ours.handle(record)
    assert capfd.readouterr().err == "A log line of x could not be written (TypeError).\n"


@pytest.mark.parametrize("unit", ["a", "a-", "a.", "token", "a://", "bearer ", '"', "token: "])
def test_a_huge_line_takes_no_time(unit: str) -> None:
    """With a pattern that looks back at each letter it would take hours: it is ended before."""
    script = (
        "import sys\n"
        "from dashboard.logs import scrub\n"
        "print(len(scrub(sys.argv[1] * (200_000 // len(sys.argv[1])))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, unit], capture_output=True, text=True, timeout=120, check=True
    )
    assert int(done.stdout) > 0


def test_uncaught_exceptions_in_main_and_in_threads() -> None:
    script = (
        "import threading\n"
        "from dashboard.logs import configure_logging\n"
        "configure_logging()\n"
        "def fail(): raise ValueError('client_secret=hunter2')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "fail()\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.count(f"ValueError: client_secret={HIDDEN}") == 2
    assert "hunter2" not in done.stderr.replace("raise ValueError('client_secret=hunter2')", "")


def test_the_oldest_tokens_are_forgotten_and_settings_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard.logs, "_MOST_SECRETS", 3)
    dashboard.logs.hide(["of-the-settings"], for_good=True)
    for number in range(5):
        dashboard.logs.hide([f"token-{number}"])
    told = dashboard.logs.scrub("of-the-settings token-0 token-3 token-4")
    assert told == f"{HIDDEN} token-0 {HIDDEN} {HIDDEN}"


def test_secrets_may_be_told_while_a_line_is_searched() -> None:
    class Line(str):
        """Another thread learns of a token each time that this one looks for one."""

        def replace(self, old: str, new: str, count: Any = -1) -> str:
            dashboard.logs.hide([f"of-another-thread-{len(dashboard.logs._known_secrets)}"])
            return Line(super().replace(old, new, count))

    dashboard.logs.hide(["first-token", "second-token"])
    assert dashboard.logs.scrub(Line("first-token second-token")) == f"{HIDDEN} {HIDDEN}"


def test_api_keys_are_hidden_wherever_they_stand() -> None:
    key = "sl_abcdefgh1234_" + "A1b" * 14 + "Z"
    assert dashboard.logs.scrub(f"GET /x?k={key} {key}.") == (
        f"GET /x?k=sl_abcdefgh1234_{HIDDEN} sl_abcdefgh1234_{HIDDEN}."
    )


def test_the_login_library_does_not_log_its_verifier() -> None:
    stream = io.StringIO()
    dashboard.logs.configure_logging("DEBUG", stream=stream)
    logging.getLogger("authlib.integrations.base_client.sync_app").debug("Using code_verifier: 'S5gxYf'")
    assert stream.getvalue() == ""
