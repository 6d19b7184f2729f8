from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.access import LOCAL, Access
from dashboard.events import Instant
from dashboard.insights.account import AccountPage, Grant, SessionInfo
from dashboard.scopes import MODERATED_CHANNELS, scopes_for
from dashboard.ui import account_view

UTC = ZoneInfo("UTC")
NOW = Instant(1_700_000_000_000_000)
PERSON = Access("11", "eleven", "Eleven", rooms=frozenset({"eleven", "twelve"}))
GRANT = Grant("11", "eleven", "Eleven", scopes_for(["clips"]), NOW, None)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
PAGE = AccountPage(
    access=PERSON,
    host="0.0.0.0",
    has_application=True,
    grants=(GRANT,),
    moderated_logins=("twelve",),
    moderated_at=NOW,
    public_channels=(),
    sessions=(SessionInfo(NOW, NOW, NOW, "192.0.2.1", CHROME, True),),
)


def shown(page: AccountPage) -> str:
    return str([part.to_plotly_json() for part in account_view.body(page, UTC, NOW)])


def test_without_login_it_says_so_and_what_changes() -> None:
    text = shown(replace(PAGE, access=LOCAL, host="127.0.0.1", sessions=()))
    assert "Only this machine reaches StreamLens (HOST=127.0.0.1)" in text
    assert "everybody logs in with Twitch" in text
    assert "Browsers logged in" not in text
    assert "/logout" not in text


def test_what_you_see_and_why() -> None:
    text = shown(replace(PAGE, grants=(replace(GRANT, scopes=frozenset({MODERATED_CHANNELS})),)))
    assert "/live/eleven" in text
    assert "/live/twelve" in text
    assert "asked every hour" in text


def test_without_the_permission_it_offers_to_ask() -> None:
    text = shown(PAGE)
    assert "StreamLens may not read which" in text
    assert "/login?purpose=moderator&next=/account" in text


def test_only_what_is_missing_is_offered() -> None:
    text = shown(PAGE)
    assert "Grant: Your own channel" in text
    assert "Grant: Clips" not in text
    assert "clips:edit" in text
    assert "clips of a live stream" in text


def test_a_grant_that_does_not_work_says_why() -> None:
    text = shown(replace(PAGE, grants=(replace(GRANT, error="Twitch refused the refresh."),)))
    assert "This grant does not work any more." in text
    assert "Twitch refused the refresh." in text
    assert "Grant: Clips" in text


def test_without_an_application_it_names_the_settings() -> None:
    text = shown(replace(PAGE, grants=(), has_application=False))
    assert "TWITCH_CLIENT_SECRET" in text
    assert "Grant:" not in text


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (CHROME + " Edg/130", "Edge on Linux"),
        ("curl/8.5", "curl/8.5"),
        ("<script>", "script"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_in_two_words(agent: str, words: str) -> None:
    assert account_view.browser(agent) == words


def test_there_is_no_way_to_show_a_secret() -> None:
    fields: set[str] = {name for cls in (Grant, SessionInfo) for name in cls.__dataclass_fields__}
    assert not {name for name in fields if "token" in name or "hash" in name}


def test_rail_foot_names_the_person() -> None:
    from dashboard.ui import shell

    def foot(access: Any) -> str:
        return str(shell._person(access))

    assert "Eleven" in foot(PERSON)
    assert foot(LOCAL) == foot(Access("")) == "None"
