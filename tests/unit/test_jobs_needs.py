"""Why a job can't run, and whose login serves a channel."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from dashboard.config import Settings
from dashboard.errors import ConfigError
from dashboard.events import Instant
from dashboard.jobs.needs import Choice, choose_login, why_not
from dashboard.jobs.registry import job_specs
from dashboard.jobs.works import works
from dashboard.storage.tokens import UserToken

CHATTERS = "moderator:read:chatters"
SUBS = "channel:read:subscriptions"


def token(user_id: str, *scopes: str, error: str | None = None) -> UserToken:
    return UserToken(
        user_id=user_id,
        user_login=f"login{user_id}",
        user_display_name=f"Login{user_id}",
        scopes=frozenset(scopes),
        access_token=SecretStr("secret"),
        refresh_token=SecretStr("secret"),
        expires_at=Instant(0),
        error=error,
    )


class Vault:
    def __init__(self, *tokens: UserToken, error: str = "") -> None:
        self._tokens, self._error = list(tokens), error

    def all(self) -> list[UserToken]:
        if self._error:
            raise ConfigError(self._error)
        return self._tokens


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **({"sandbox": True} | values))


def reason(name: str, vault: Vault, **values: Any) -> tuple[str, str, str] | None:
    found = why_not(job_specs(settings())[name], settings(**values), vault)
    return (found.text, found.cure, found.href) if found else None


def test_every_job_of_the_worker_has_work_and_the_other_way_round() -> None:
    startable = {spec.name for spec in job_specs(settings()).values() if spec.is_startable}
    assert startable == set(works())


@pytest.mark.parametrize(
    ("vault", "expected"),
    [
        (Vault(), ("Nobody has logged in with Twitch.", "Log in", "/account")),
        (Vault(token("1", SUBS)), (f"No login allows {CHATTERS}.", "Grant it", "/account")),
        (
            Vault(token("1", CHATTERS, error="gone")),
            ("The login of login1 does not work any more.", "Log in again", "/account"),
        ),
        (Vault(token("1", CHATTERS, error="gone"), token("2", CHATTERS)), None),
        (Vault(error="SECRET_KEY: damaged"), ("The stored logins can't be read.", "SECRET_KEY: damaged", "")),
    ],
)
def test_a_job_that_needs_a_login(vault: Vault, expected: tuple[str, str, str] | None) -> None:
    assert reason("chatters", vault) == expected


def test_s3_survey_and_credentials() -> None:
    found = reason("sync", Vault())
    assert found is not None
    assert found[0] == "There is no S3 bucket."
    assert reason("sync", Vault(), s3_bucket="lake") is None
    assert reason("export", Vault()) is None, "files of a day are worth something on this disk too"
    found = reason("survey", Vault())
    assert found is not None
    assert "SURVEY_CHANNEL_COUNT" in found[1]
    assert reason("survey", Vault(), survey_channel_count=100) is None
    found = reason("clips", Vault(), sandbox=False)
    assert found is not None
    assert "TWITCH_CLIENT_ID" in found[1]


def test_report_times_follow_the_channels_zones() -> None:
    specs = job_specs(
        settings(time_zone="Europe/Berlin", channel_time_zones="alpha=Asia/Tokyo,beta=Asia/Tokyo")
    )
    assert specs["report"].trigger.words == "daily at 00:05 in 2 time zones"
    assert specs["clips"].trigger.words == "daily at 04:00 Europe/Berlin"


MODS = {"2": frozenset({"9"}), "3": frozenset({"9", "8"})}


@pytest.mark.parametrize(
    ("room", "tokens", "expected"),
    [
        ("1", [token("1", CHATTERS), token("2", CHATTERS)], Choice("1")),
        ("9", [token("3", CHATTERS), token("2", CHATTERS)], Choice("2")),
        ("9", [token("2"), token("3", CHATTERS)], Choice("3")),
        ("9", [token("2", CHATTERS, error="gone"), token("3", CHATTERS)], Choice("3")),
        ("9", [token("9", SUBS), token("2", CHATTERS)], Choice("2")),
        (
            "7",
            [token("2", CHATTERS)],
            Choice(None, f"no login of its owner or a moderator allows {CHATTERS}"),
        ),
    ],
)
def test_the_owner_serves_first_then_any_moderator(
    room: str, tokens: list[UserToken], expected: Choice
) -> None:
    assert choose_login(room, CHATTERS, tokens, MODS) == expected


def test_where_only_the_owner_will_do_a_moderator_will_not() -> None:
    choice = choose_login("9", SUBS, [token("2", SUBS)], MODS, is_owner_needed=True)
    assert choice == Choice(None, f"its owner has not granted {SUBS}")


def test_without_a_bucket_exports_are_made_only_when_asked_for() -> None:
    alone = job_specs(Settings(_env_file=None, sandbox=True))["export"]
    with_copy = job_specs(Settings(_env_file=None, sandbox=True, s3_bucket="lens-bucket"))["export"]
    assert (alone.is_by_hand, alone.rhythm) == (True, "when asked for")
    assert (with_copy.is_by_hand, with_copy.rhythm) == (False, "daily at 01:05 UTC")
