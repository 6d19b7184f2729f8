"""The settings: every wrong value tells its name, its problem and its cure; no secret shows."""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from dashboard.config import DEFAULT_RETENTION, Settings, load_settings, parse_channels
from dashboard.config_rules import CURES
from dashboard.config_sources import misspelt_names
from dashboard.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and an environment without settings."""
    for name in list(os.environ):
        if name.lower() in Settings.model_fields or name == "STREAMLENS_CONFIG":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(**overrides: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(**overrides)
    return str(caught.value)


def documented() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(m.groups() for line in lines if (m := re.fullmatch(r"#([A-Z0-9_]+)=(.*)", line)))


def as_text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return ",".join(f"{kind}={days}" for kind, days in value.items())
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


class TestEnvExample:
    def test_it_has_every_setting_with_its_default_and_nothing_else(self) -> None:
        defaults = {name.upper(): as_text(field.default) for name, field in Settings.model_fields.items()}
        assert documented() == defaults

    def test_uncommented_as_it_is_it_gives_the_defaults(self, clean_place: Path) -> None:
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        (clean_place / ".env").write_text(re.sub(r"(?m)^#(?=[A-Z0-9_]+=)", "", text), encoding="utf-8")
        assert load_settings() == Settings(_env_file=None)

    def test_every_setting_has_a_cure_that_names_it(self) -> None:
        assert set(CURES) == set(Settings.model_fields)
        for name, cure in CURES.items():
            assert name.upper() in cure


class TestPrecedence:
    def test_arguments_environment_dotenv_yaml_default(
        self, clean_place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (clean_place / "streamlens.yaml").write_text(
            "port: 1001\nsandbox_port: 1002\nsandbox_seed: 1003\nquery_threads: 4\n", encoding="utf-8"
        )
        (clean_place / ".env").write_text(
            "PORT=2001\nSANDBOX_PORT=2002\nSANDBOX_SEED=2003\n", encoding="utf-8"
        )
        monkeypatch.setenv("PORT", "3001")
        monkeypatch.setenv("SANDBOX_PORT", "3003")
        settings = load_settings(port=4001)
        got = (settings.port, settings.sandbox_port, settings.sandbox_seed, settings.query_threads)
        assert got == (4001, 3003, 2003, 4)
        assert settings.query_memory_mb == 1024

    def test_an_empty_value_counts_as_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "")
        assert load_settings().port == 5000


WRONG_VALUES = [
    ("port", "0", "greater than or equal to 1"),
    ("port", "http", "valid integer"),
    ("host", "http://0.0.0.0", "not a host name or address"),
    ("twitch_channels", "xqc,not-a-login", "“not-a-login” is not a Twitch login"),
    ("twitch_irc_url", "https://irc.example.org", "must start with wss:// or ws:// or ircs:// or irc://"),
    ("twitch_api_url", "wss://api.example.org", "must start with https:// or http://"),
    ("twitch_api_url", "https://", "not a valid address"),
    ("twitch_auth_url", "https://id.example.org:99999", "not a valid address"),
    ("twitch_auth_url", "https://id.example.org/oauth2?x=1", "must have no user, password, “?” or “#”"),
    ("twitch_eventsub_url", "https://eventsub.example.org", "must start with wss:// or ws://"),
    ("sandbox", "perhaps", "valid boolean"),
    ("sandbox_host", "a b", "not a host name or address"),
    ("sandbox_port", "65535", "less than or equal to 65534"),
    ("sandbox_seed", "1.5", "valid integer"),
    ("sandbox_channel_count", "0", "greater than or equal to 1"),
    ("database_url", "mysql://user:hunter2@host/db", "must start with sqlite:// or postgresql://"),
    ("s3_bucket", "s3://bucket", "not a bucket name"),
    ("s3_endpoint_url", "minio:9000", "must start with https:// or http://"),
    ("retention_days", "chat_messages:30", "“chat_messages:30=” is not kind=days"),
    ("retention_days", "chat_messages=-1", "“chat_messages=-1” is not kind=days"),
    ("retention_days", "chat_message=30", "there is no kind “chat_message”"),
    ("opt_out_file", "nobody.txt", "there is no readable file nobody.txt"),
    ("ingest_queue_events", "10", "greater than or equal to 1000"),
    ("flush_interval_s", "2", "less than or equal to 1"),
    ("flush_interval_s", "nan", "finite number"),
    ("query_timeout_s", "inf", "finite number"),
    ("query_threads", "0", "greater than or equal to 1"),
    ("query_memory_mb", "64", "greater than or equal to 128"),
    ("log_level", "LOUD", "match pattern"),
    ("log_format", "xml", "match pattern"),
]


class TestWrongValues:
    @pytest.mark.parametrize(("name", "value", "problem"), WRONG_VALUES)
    def test_name_problem_and_cure(
        self, name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name.upper(), value)
        message = refused()
        assert message.startswith(f"{name.upper()}: ")
        assert problem in message
        assert message.endswith(CURES[name])
        assert "hunter2" not in message

    def test_all_problems_are_told_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "0")
        monkeypatch.setenv("LOG_FORMAT", "xml")
        assert [line.partition(":")[0] for line in refused().splitlines()] == ["PORT", "LOG_FORMAT"]

    @pytest.mark.parametrize("set_one", ["TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET"])
    def test_half_of_the_credentials(self, set_one: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(set_one, "abcdef")
        assert refused() == (
            "TWITCH_CLIENT_SECRET: one of TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET is missing. "
            + CURES["twitch_client_secret"]
        )

    def test_half_of_the_s3_keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "abcdef")
        assert refused().startswith("AWS_SECRET_ACCESS_KEY: one of AWS_ACCESS_KEY_ID and")

    def test_a_chat_token_needs_its_login(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWITCH_IRC_TOKEN", "oauth:hunter2")
        assert refused() == f"TWITCH_IRC_TOKEN: TWITCH_IRC_LOGIN is missing. {CURES['twitch_irc_token']}"

    def test_a_login_needs_its_chat_token_unless_it_is_anonymous(self) -> None:
        assert refused(twitch_irc_login="somebody").startswith(
            "TWITCH_IRC_LOGIN: TWITCH_IRC_TOKEN is missing"
        )
        assert load_settings(twitch_irc_login="justinfan12345").twitch_irc_login == "justinfan12345"

    def test_the_web_server_and_the_sandbox_can_not_share_a_port(self) -> None:
        assert refused(port=5081).startswith("SANDBOX_PORT: the sandbox needs 5080 and the next port")
        assert load_settings(port=5081, sandbox=False).port == 5081

    def test_data_dir_is_a_file(self, clean_place: Path) -> None:
        (clean_place / "data").write_text("", encoding="utf-8")
        assert refused() == f"DATA_DIR: data is not a folder. {CURES['data_dir']}"

    def test_data_dir_below_a_file(self, clean_place: Path) -> None:
        (clean_place / "file").write_text("", encoding="utf-8")
        assert refused(data_dir="file/data").startswith("DATA_DIR: file/data can't be made: ")

    def test_data_dir_not_writable(self, clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # Root may write anywhere, so the answer of the system is replaced.
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert refused() == f"DATA_DIR: {clean_place} is not writable for this user. {CURES['data_dir']}"

    def test_a_folder_that_is_not_there_yet_is_fine_and_is_not_made(self, clean_place: Path) -> None:
        assert load_settings(data_dir="a/b").data_dir == Path("a/b")
        assert not (clean_place / "a").exists()

    def test_a_dotenv_that_is_not_text(self, clean_place: Path) -> None:
        (clean_place / ".env").write_bytes(b"PORT=\xff\xfe")
        assert refused() == ".env: not UTF-8 text. Save the file as UTF-8."


class TestYaml:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("port: 5000\ntwitch_chanels: xqc\n", "line 2: “twitch_chanels” is not a setting. "),
            ("colour: blue\n", "line 1: “colour” is not a setting. All names stand in .env.example."),
            ("port: 5000\nPORT: 5001\n", "line 2: “PORT” stands twice. Remove one."),
            ("port: 5000\nhost: [unclosed\n", "line 3: expected ',' or ']', but got '<stream end>'. "),
            ("- port\n", "line 1: not “name: value”. Write one a line."),
        ],
    )
    def test_what_is_wrong_is_told_with_file_and_line(
        self, text: str, message: str, clean_place: Path
    ) -> None:
        (clean_place / "streamlens.yaml").write_text(text, encoding="utf-8")
        assert refused().startswith(f"streamlens.yaml, {message}")

    def test_a_typo_gets_a_suggestion(self, clean_place: Path) -> None:
        (clean_place / "streamlens.yaml").write_text("twitch_chanels: xqc\n", encoding="utf-8")
        assert refused().endswith("Did you mean twitch_channels?")

    def test_a_broken_value_is_not_repeated(self, clean_place: Path) -> None:
        (clean_place / "streamlens.yaml").write_text(
            'twitch_client_secret: "hunter2\nport: 1\n', encoding="utf-8"
        )
        assert "hunter2" not in refused()

    def test_a_named_file_must_be_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STREAMLENS_CONFIG", "preset.yaml")
        assert refused().startswith("STREAMLENS_CONFIG: there is no file preset.yaml. ")

    def test_not_text(self, clean_place: Path) -> None:
        (clean_place / "streamlens.yaml").write_bytes(b"port: \xff\xfe")
        assert refused() == "streamlens.yaml: not UTF-8 text. Save the file as UTF-8."

    def test_an_empty_file_and_empty_values_are_fine(self, clean_place: Path) -> None:
        (clean_place / "streamlens.yaml").write_text("# nothing yet\n", encoding="utf-8")
        assert load_settings().port == 5000
        (clean_place / "streamlens.yaml").write_text("port:\n", encoding="utf-8")
        assert load_settings().port == 5000

    def test_values_in_yamls_own_types(self, clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (clean_place / "preset.yaml").write_text(
            "twitch_channels: [xqc, 1234]\nRETENTION_DAYS: {chat_messages: 7}\n"
            "twitch_client_id: 123\ntwitch_client_secret: 456\nsandbox: false\n",
            encoding="utf-8",
        )
        monkeypatch.setenv("STREAMLENS_CONFIG", "preset.yaml")
        settings = load_settings()
        assert settings.twitch_channels == ("xqc", "1234")
        assert settings.retention_days == DEFAULT_RETENTION | {"chat_messages": 7}
        assert settings.retention_days["user_list"] == 30
        assert (settings.twitch_client_id, settings.client_secret.get_secret_value()) == ("123", "456")
        assert settings.sandbox is False

    def test_one_channel_that_is_a_number(self, clean_place: Path) -> None:
        (clean_place / "streamlens.yaml").write_text("twitch_channels: 1234\n", encoding="utf-8")
        assert load_settings().twitch_channels == ("1234",)


class TestSecrets:
    def test_they_never_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        values = {
            "TWITCH_CLIENT_ID": "id",
            "TWITCH_CLIENT_SECRET": "hunter2-client",
            "TWITCH_IRC_LOGIN": "me",
            "TWITCH_IRC_TOKEN": "oauth:hunter2-irc",
            "DATABASE_URL": "postgresql://me:hunter2-db@host/db",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "hunter2-s3",
            "AWS_SESSION_TOKEN": "hunter2-session",
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        settings = load_settings()
        shown = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()]
        assert "hunter2" not in "\n".join(shown)
        assert settings.twitch_irc_token.get_secret_value() == "hunter2-irc"

    def test_not_even_in_the_error_about_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", "hunter2")
        with pytest.raises(ConfigError) as caught:
            load_settings()
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
        with pytest.raises(ValidationError) as wrong:
            Settings()
        assert "hunter2" not in str(wrong.value)

    def test_settings_are_frozen(self) -> None:
        with pytest.raises(ValidationError):
            load_settings().port = 1  # type: ignore[misc]


class TestSandboxOrTwitch:
    def test_nothing_set_is_the_sandbox(self) -> None:
        settings = load_settings()
        assert settings.is_sandbox
        assert settings.has_credentials
        assert (settings.irc_url, settings.api_url, settings.auth_url) == (
            "ws://127.0.0.1:5080/irc",
            "http://127.0.0.1:5080/helix",
            "http://127.0.0.1:5080/oauth2",
        )
        assert settings.client_id == "sandbox-client"
        assert settings.client_secret.get_secret_value() == "sandbox-secret"

    def test_a_channel_is_twitch_without_credentials(self) -> None:
        settings = load_settings(twitch_channels="xqc")
        assert not settings.is_sandbox
        assert not settings.has_credentials
        assert (settings.irc_url, settings.api_url, settings.auth_url) == (
            "wss://irc-ws.chat.twitch.tv:443",
            "https://api.twitch.tv/helix",
            "https://id.twitch.tv/oauth2",
        )
        assert (settings.client_id, settings.client_secret.get_secret_value()) == ("", "")

    def test_credentials_alone_are_twitch(self) -> None:
        settings = load_settings(twitch_client_id="id", twitch_client_secret="secret")
        assert not settings.is_sandbox
        assert (settings.client_id, settings.client_secret.get_secret_value()) == ("id", "secret")

    def test_the_sandbox_never_gets_the_real_credentials(self) -> None:
        settings = load_settings(sandbox=True, twitch_client_id="id", twitch_client_secret="secret")
        assert settings.client_id == "sandbox-client"
        assert settings.client_secret.get_secret_value() == "sandbox-secret"

    def test_a_slash_at_the_end_of_an_address_is_cut(self) -> None:
        assert load_settings(twitch_api_url="http://h:1/helix/").api_url == "http://h:1/helix"


class TestParsing:
    @pytest.mark.parametrize(
        ("typed", "logins"),
        [
            ("xqc, #Forsen @moon2\nhttps://www.twitch.tv/CohhCarnage/videos", "xqc forsen moon2 cohhcarnage"),
            ("twitch.tv/a m.twitch.tv/b?sr=1", "a b"),
            ("xqc,XQC,,xqc", "xqc"),
            ("", ""),
        ],
    )
    def test_channels(self, typed: str, logins: str) -> None:
        assert parse_channels(re.split(r"[,\s]+", typed)) == tuple(logins.split())

    def test_log_settings_take_any_case(self) -> None:
        settings = load_settings(log_level="debug", log_format="JSON")
        assert (settings.log_level, settings.log_format) == ("DEBUG", "json")

    @pytest.mark.parametrize("token", ["oauth:abc", "OAuth:abc", " abc "])
    def test_the_chat_token_is_kept_bare(self, token: str) -> None:
        settings = load_settings(twitch_irc_login="me", twitch_irc_token=token)
        assert settings.twitch_irc_token.get_secret_value() == "abc"

    def test_the_sandbox_never_gets_a_real_chat_token(self) -> None:
        real = {"twitch_irc_login": "me", "twitch_irc_token": "hunter2"}
        sandbox = load_settings(sandbox=True, **real)
        assert (sandbox.irc_login, sandbox.irc_token.get_secret_value()) == ("", "")
        for own in ({}, {"sandbox": True, "twitch_irc_url": "wss://chat.example.org"}):
            settings = load_settings(**real, **own)
            assert (settings.irc_login, settings.irc_token.get_secret_value()) == ("me", "hunter2")

    def test_prefix_without_slashes_and_home(self) -> None:
        settings = load_settings(s3_prefix="/a/b/", data_dir="~/lens")
        assert settings.s3_prefix == "a/b"
        assert settings.data_dir == Path.home() / "lens"

    def test_misspelt_names_in_dotenv_and_environment(
        self, clean_place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (clean_place / ".env").write_text(
            "TWITCH_CHANELS=xqc\nCOMPOSE_PROJECT_NAME=x\nPORT=1\n", encoding="utf-8"
        )
        monkeypatch.setenv("TWITCH_CLIENT_SECRETS", "hunter2")
        assert misspelt_names(Settings.model_fields) == {
            "TWITCH_CHANELS": "TWITCH_CHANNELS",
            "TWITCH_CLIENT_SECRETS": "TWITCH_CLIENT_SECRET",
        }
