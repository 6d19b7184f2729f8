"""Names and ages out of captures, by hand: what is new, what is a change, and what is neither."""

from __future__ import annotations

from dashboard.events import Instant
from dashboard.events_accounts import Account, Rename
from dashboard.job_handle import AccountFacts
from dashboard.jobs.capture_names import Known, Person, account_events

NOW = Instant(1_700_000_900_000_000)
T1, T2 = Instant(1_700_000_000_000_000), Instant(1_700_000_100_000_000)
MADE = Instant(1_600_000_000_000_000)


def found(
    person: Person,
    known: Known | None = None,
    facts: AccountFacts | None = None,
    *,
    is_asked: bool = False,
    capture_id: str = "c1",
) -> tuple[list[Account], list[Rename]]:
    events = account_events(
        [person],
        {"7": known} if known else {},
        {"7": facts} if facts else {},
        {"7"} if is_asked else set(),
        capture_id=capture_id,
        source="helix",
        now=NOW,
    )
    accounts = [event for event in events if isinstance(event, Account)]
    renames = [event for event in events if isinstance(event, Rename)]
    assert len(accounts) + len(renames) == len(events)
    return accounts, renames


def someone(login: str | None, display_name: str | None, met_at: Instant = T2) -> Person:
    return Person("7", login, display_name, met_at)


ANNA = Known(MADE, "anna", "Anna", T1)


def test_somebody_met_for_the_first_time_has_a_row_once_twitch_was_asked() -> None:
    assert found(someone("anna", "Anna")) == ([], [])
    told = AccountFacts("7", "anna", "Anna", MADE, "partner")
    ((account,), renames) = found(someone("anna", "Anna"), None, told, is_asked=True)
    assert renames == []
    assert (account.user_login, account.user_display_name) == ("anna", "Anna")
    assert (account.account_created_at, account.broadcaster_type) == (MADE, "partner")
    assert (account.sent_at, account.received_at, account.room_login) == (T2, NOW, "")


def test_somebody_known_under_the_same_name_is_no_news() -> None:
    assert found(someone("anna", "Anna"), ANNA) == ([], [])
    assert found(someone(None, None), ANNA) == ([], []), "a name that is not told is no change"
    assert found(someone("anna", None), ANNA) == ([], [])


def test_a_new_login_is_one_change_and_a_new_name() -> None:
    ((account,), (rename,)) = found(someone("anne", "Anne"), ANNA)
    assert (rename.old_login, rename.user_login) == ("anna", "anne")
    assert (rename.old_display_name, rename.user_display_name) == ("Anna", "Anne")
    assert (rename.sent_at, rename.old_name_at) == (T2, T1)
    assert (account.user_login, account.account_created_at, account.sent_at) == ("anne", MADE, T2)


def test_a_new_spelling_alone_is_a_change_too() -> None:
    (_, (rename,)) = found(someone("anna", "ANNA"), ANNA)
    assert (rename.old_login, rename.user_login) == ("anna", "anna")
    assert (rename.old_display_name, rename.user_display_name) == ("Anna", "ANNA")
    (_, (rename,)) = found(someone("anne", None), ANNA)
    assert rename.user_display_name == "Anna", "what is not told stays"


def test_whoever_finds_a_change_gives_it_the_same_id() -> None:
    (_, (one,)) = found(someone("anne", "Anne"), ANNA, capture_id="c1")
    (_, (two,)) = found(someone("anne", "Anne", NOW), ANNA, capture_id="c2")
    assert one.event_id == two.event_id
    (_, (again,)) = found(someone("anne", "Anne"), Known(MADE, "anna", "Anna", Instant(T1 + 1)))
    assert again.event_id != one.event_id, "the same change at another time is another one"


def test_a_name_met_before_the_newest_known_one_is_no_change() -> None:
    assert found(someone("old_anna", "Old_Anna", T1), ANNA) == ([], [])
    earlier = Instant(T1 - 1)
    assert found(someone("old_anna", "Old_Anna", earlier), ANNA) == ([], [])


def test_what_twitch_does_not_tell_of_is_remembered_as_asked_for() -> None:
    ((account,), _) = found(someone("anna", "Anna"), is_asked=True)
    assert account.account_created_at is None
    unknown = Known(None, "anna", "Anna", T1, asked_at=T1)
    told = AccountFacts("7", "anna", "Anna", MADE)
    ((account,), renames) = found(someone("anna", "Anna"), unknown, told, is_asked=True)
    assert (account.account_created_at, renames) == (MADE, [])


def test_an_age_that_somebody_else_learnt_meanwhile_is_not_stored_again() -> None:
    told = AccountFacts("7", "anna", "Anna", MADE)
    assert found(someone("anna", "Anna"), ANNA, told, is_asked=True) == ([], [])


def test_an_old_name_seen_late_does_not_become_the_newest() -> None:
    unknown = Known(None, "anne", "Anne", T2, asked_at=T1)
    told = AccountFacts("7", "anne", "Anne", MADE)
    ((account,), renames) = found(someone("anna", "Anna", T1), unknown, told, is_asked=True)
    assert renames == []
    assert (account.user_login, account.sent_at, account.account_created_at) == ("anne", T2, MADE)
