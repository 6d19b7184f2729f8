"""What is taken out of the Chatters page: files that say what the page says, to those who may have them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import flask
import pytest
from flask.testing import FlaskClient

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.chatters_web import chatters_blueprint
from dashboard.errors import StorageError
from dashboard.events import Instant
from dashboard.insights import chatters_bundle
from dashboard.insights.chatters_bundle import bundle_html
from dashboard.insights.chatters_export import (
    ACCOUNT_COLUMNS,
    AGGREGATE_COLUMNS,
    accounts_csv,
    accounts_json,
    aggregates_csv,
    aggregates_json,
    safe_cell,
)
from dashboard.insights.chatters_model import (
    AgeCurve,
    CaptureLine,
    ChattersAnalysis,
    CohortLine,
    Finding,
    Histogram,
    Selection,
    ServiceAccount,
    TopDay,
)
from dashboard.insights.chatters_people_model import AccountTable
from dashboard.storage.ingest import Ingest
from tests.chatters_lake import MIN, T0, TODAY, ChattersLake

MADE = Instant(T0 + 60 * MIN)
BAD = '=cmd|"/c calc"!A1'
SCRIPT = "<script>alert(1)</script>"


def analysis(**values: Any) -> ChattersAnalysis:
    """31 accounts of one day among 400."""
    line = CaptureLine(
        "c1",
        "900",
        "moth",
        "connected",
        None,
        "complete",
        "you",
        Instant(T0),
        Instant(T0),
        MADE,
        402,
        402,
        400,
        2,
    )
    silent = Finding(
        "silent", "Have not spoken", "30 of 31 (84–99 %)", 30, 31, 0.97, 0.84, 0.99, 200, 369, 0.54, True
    )
    unknown = Finding("follow_time", "Followed", "", missing="follows are not read", details=(SCRIPT,))
    cohort = CohortLine(
        1, TODAY - 3, TODAY - 3, 1, 31, 2.1, 1e-21, 1e-18, 14.8, 0.0775,
        f"31 accounts created on 2024-10-01, 2.1 expected {SCRIPT}", (silent, unknown),
    )  # fmt: skip
    found = ChattersAnalysis(
        selection=Selection(capture_ids=("c1",)),
        captures=(line,),
        source="connected",
        account_count=402,
        n=400,
        n_unknown=2,
        shown_count=400,
        services=(ServiceAccount("5", "night_service", "shipped"),),
        service_count=1,
        is_enough=True,
        verdict="31 accounts created on 2024-10-01, 2.1 expected (q = 1e-18); 30 of 31 have not spoken.",
        tested_words="all accounts",
        cohorts=(cohort,),
        histogram=Histogram(
            "month",
            (19_000, 19_030, 19_987),
            (19_029, 19_986, 20_000),
            (10, 0, 390),
            (12.5, 300.0, 87.5),
            (None, None, 1),
        ),
        top_days=(TopDay(TODAY - 3, 31, 2.1, 1),),
        age_curve=AgeCurve((1, 30, 1000), (0.0, 0.5, 1.0), (0.1, 0.2, 1.0), 30.0, 420.0),
        trait_counts={"silent": 230, "follows": None},
        trait_missing={"follows": "follows are not read"},
        baseline_name="others",
        baseline_sample=23_410,
        baseline_words="Compared with others.",
        as_of=MADE,
        as_of_day=TODAY,
        notes=("1 capture is not complete and left out.",),
    )
    return replace(found, **values)


def table(count: int = 3, **columns: list[Any]) -> AccountTable:
    values: dict[str, list[Any]] = {
        "user_id": [str(1000 + row) for row in range(count)],
        "user_login": [f"user_{row}" for row in range(count)],
        "user_display_name": [f"User_{row}" for row in range(count)],
        "created_s": [1_727_784_000] * count,
        "age_days": [3] * count,
        "seen_count": [1] * count,
        "first_seen_s": [1_728_072_000] * count,
        "last_seen_s": [1_728_072_060] * count,
        "message_count": [0] * count,
        "rename_count": [0] * count,
        "evidence": ["silent, cohort 1"] * count,
        "cohort": [None] * count,
    }
    return AccountTable(row_count=count, **(values | columns), words=f"{count} accounts")


def rows_of(parts: Iterator[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode(), newline="")))


def test_accounts_as_csv() -> None:
    people = table(
        2,
        user_display_name=[BAD, 'Ä, "b"'],
        created_s=[None, 1_727_784_000],
        age_days=[None, 3],
        message_count=[None, 5],
        rename_count=[3, 0],
        cohort=[None, 1],
    )
    content = b"".join(accounts_csv(people)).decode()
    assert content.splitlines()[0] == (
        "twitch_user_id,login,display_name,created_at,seen_count,first_seen,last_seen,"
        "age_days,message_count,rename_count,is_often_renamed,cohort,evidence"
    )
    first, second = rows_of(accounts_csv(people))
    assert first["display_name"] == f"'{BAD}"
    assert (first["created_at"], first["age_days"], first["message_count"]) == ("", "", "")
    assert (first["rename_count"], first["is_often_renamed"], second["is_often_renamed"]) == (
        "3",
        "True",
        "False",
    )
    assert second == {
        "twitch_user_id": "1001",
        "login": "user_1",
        "display_name": 'Ä, "b"',
        "created_at": "2024-10-01T12:00:00Z",
        "seen_count": "1",
        "first_seen": "2024-10-04T20:00:00Z",
        "last_seen": "2024-10-04T20:01:00Z",
        "age_days": "3",
        "message_count": "5",
        "rename_count": "0",
        "is_often_renamed": "False",
        "cohort": "1",
        "evidence": "silent, cohort 1",
    }


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_no_cell_begins_as_a_formula(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"
    assert safe_cell(f"a{start}") == f"a{start}"
    assert safe_cell(-1) == -1


def test_many_accounts_come_in_blocks() -> None:
    parts = list(accounts_csv(table(5_000)))
    assert len(parts) == 4
    assert len(rows_of(iter(parts))) == 5_000
    told = json.loads(b"".join(accounts_json(table(5_000), analysis(), MADE)))
    assert len(told["accounts"]) == 5_000
    assert told["accounts"][4_999]["twitch_user_id"] == "5999"


def test_accounts_as_json_say_what_was_asked() -> None:
    told = json.loads(b"".join(accounts_json(table(1, user_display_name=[BAD]), analysis(), MADE)))
    assert (told["made_at"], told["as_of"]) == ("2024-10-04T21:00:00Z", "2024-10-04T21:00:00Z")
    assert (told["n"], told["n_unknown"], told["account_count"]) == (400, 2, 1)
    assert told["captures"][0]["room_login"] == "moth"
    assert told["captures"][0]["source"] == "connected to chat"
    (account,) = told["accounts"]
    assert tuple(account) == ACCOUNT_COLUMNS
    assert account["display_name"] == BAD, "JSON is no spreadsheet"
    assert account["cohort"] is None
    assert json.loads(b"".join(accounts_json(table(0), analysis(), MADE)))["accounts"] == []


def test_aggregates_as_csv() -> None:
    rows = rows_of(aggregates_csv(analysis()))
    assert tuple(rows[0]) == AGGREGATE_COLUMNS
    assert rows[0]["words"].startswith("31 accounts created on 2024-10-01")
    by_section: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_section.setdefault(row["section"], []).append(row)
    assert {row["key"]: row["observed"] for row in by_section["count"]} == {
        "accounts": "402",
        "tested": "400",
        "age_unknown": "2",
        "shown": "400",
        "service_accounts": "1",
        "baseline_accounts": "23410",
    }
    assert [(row["key"], row["observed"], row["words"]) for row in by_section["trait"]] == [
        ("silent", "230", ""),
        ("follows", "", "follows are not read"),
    ]
    assert [
        (row["start"], row["observed"], row["expected"], row["cohort"]) for row in by_section["histogram"]
    ] == [
        ("2022-01-08", "10", "12.5", ""),
        ("2022-02-07", "0", "300.0", ""),
        ("2024-09-21", "390", "87.5", "1"),
    ]
    (cohort,) = by_section["cohort"]
    assert (cohort["start"], cohort["end"], cohort["q"], cohort["p"]) == (
        "2024-10-01",
        "2024-10-01",
        "1e-18",
        "1e-21",
    )
    assert [(row["key"], row["observed"], row["words"]) for row in by_section["evidence"]] == [
        ("silent", "30", "30 of 31 (84–99 %)"),
        ("follow_time", "", "follows are not read"),
    ]
    assert len(by_section["age_curve"]) == 3


def test_aggregates_as_json() -> None:
    told = json.loads(b"".join(aggregates_json(analysis(), MADE)))
    assert [one["observed"] for one in told["histogram"]] == [10, 0, 390]
    (cohort,) = told["cohorts"]
    assert (cohort["start"], cohort["q"], len(cohort["evidence"])) == ("2024-10-01", 1e-18, 2)
    assert told["traits"]["follows"] == {"count": None, "missing": "follows are not read"}
    assert told["service_accounts"] == [
        {"twitch_user_id": "5", "login": "night_service", "listed_by": "shipped"}
    ]
    assert told["baseline"]["account_count"] == 23_410


class Page(HTMLParser):
    """Checks that every tag is closed, and collects what a page would fetch or run."""

    VOID = ("meta", "br", "path", "polyline")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetches: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        names = [name for name, _ in attrs]
        self.fetches += [
            name for name in names if name in ("src", "href", "srcset", "action") or name[:2] == "on"
        ]
        self.fetches += [tag] if tag in ("script", "link", "iframe", "object", "img") else []

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += f" {data}"


def test_the_bundle_is_one_page_that_needs_nothing() -> None:
    people = table(3, user_display_name=[SCRIPT, "b", "c"], cohort=[None, 1, None], rename_count=[3, 0, 0])
    html = bundle_html(analysis(), people, MADE)
    page = Page(html)
    assert page.open == []
    assert page.fetches == []
    assert "url(" not in html
    assert "http" not in html
    assert SCRIPT not in html
    assert SCRIPT in page.text, "it is shown as what it is"
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    words = re.sub(r"\s+", " ", page.text)
    assert words.index("31 accounts created on 2024-10-01") < words.index("When the accounts were created")
    assert "400 of known age, 2 of unknown" in words
    assert "expected from the baseline" in words
    assert "Unusual cohort 1: created 2024-10-01" in words
    assert "not known: follows are not read" in words
    assert "q = 1e-18" in words
    assert words.index("user_1") < words.index("user_0"), "accounts of cohorts come first"
    assert "night_service" in words
    assert " bot" not in words.lower()


def test_a_bundle_of_nothing_says_why() -> None:
    empty = analysis(
        captures=(),
        account_count=0,
        n=0,
        n_unknown=0,
        cohorts=(),
        verdict="No capture is chosen.",
        histogram=Histogram("month", (), (), (), (), ()),
        top_days=(),
        age_curve=AgeCurve((), (), ()),
        trait_counts={},
        services=(),
        notes=(),
        as_of=None,
        missing="No capture is chosen.",
        is_enough=False,
    )
    page = Page(bundle_html(empty, table(0), MADE))
    assert page.open == []
    assert "No capture is chosen." in page.text
    assert "too few accounts to tell" in page.text
    assert json.loads(b"".join(aggregates_json(empty, MADE)))["as_of"] is None
    assert rows_of(aggregates_csv(empty))[0]["section"] == "verdict"


def test_a_bundle_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chatters_bundle, "MOST_ACCOUNTS", 2)
    page = Page(bundle_html(analysis(), table(3, cohort=[None, None, 1]), MADE))
    assert "2 of 3 are listed here, those of cohorts first" in page.text
    assert "user_2" in page.text
    assert "user_1" not in page.text


# -- over HTTP, on a real lake ---------------------------------------------------------------


class Site:
    """A server with the exports of a lake, asked as somebody."""

    def __init__(self, lake: ChattersLake) -> None:
        self.lake = lake
        self.who = LOCAL
        app = flask.Flask("exports")
        app.register_blueprint(
            chatters_blueprint(lake.insights, lake.audit, lambda: self.who, now=lambda: MADE)
        )
        self._client: FlaskClient = app.test_client()

    def get(self, what: str, ask: str | Selection) -> Any:
        text = ask if isinstance(ask, str) else json.dumps(ask.to_payload())
        return self._client.get(f"/chatters/export/{what}?ask={quote(text)}")

    def compare(self, what: str, second: str = "c2", **told: str) -> Any:
        return self._client.get(
            f"/chatters/compare/{what}", query_string={"first": "c1", "second": second} | told
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Ingest(tmp_path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(tmp_path, ingest)
        lake.capture("c1", ["1", "2", "3"], logins={"3": "night"})
        lake.born({"1": TODAY - 1_000, "2": TODAY - 3})
        yield Site(lake)
        lake.close()


CHOSEN = Selection(capture_ids=("c1",))


def test_each_export_is_what_the_page_shows(site: Site) -> None:
    answer = site.get("accounts.csv", CHOSEN)
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=chatters-moth-2024-10-04-2000-accounts.csv"
    )
    shown = site.lake.insights.accounts(CHOSEN, LOCAL)
    assert [row["twitch_user_id"] for row in rows_of(iter([answer.data]))] == shown.user_id
    told = site.get("accounts.json", CHOSEN).get_json()
    assert {one["login"] for one in told["accounts"]} == {"u1", "u2", "night"}
    assert (told["n"], told["n_unknown"]) == (2, 1)
    figures = site.get("aggregates.json", CHOSEN).get_json()
    assert sum(one["observed"] for one in figures["histogram"]) == 2
    assert rows_of(iter([site.get("aggregates.csv", CHOSEN).data]))[1]["observed"] == "3"
    evidence = site.get("evidence.html", CHOSEN)
    assert "default-src 'none'" in evidence.headers["Content-Security-Policy"]
    assert Page(evidence.text).open == []
    assert f"<h1>{escape(site.lake.insights.analysis(CHOSEN, LOCAL).verdict)}</h1>" in evidence.text
    actions = [(entry.action, entry.detail) for entry in site.lake.audit.recent()]
    assert actions[-1] == ("export", "accounts.csv of moth, 3 accounts")
    assert len(actions) == 5


def test_nobody_gets_what_they_may_not_see(site: Site) -> None:
    strangers = (NOBODY, Access("77", "stranger", rooms=frozenset({"stranger"})))
    for who in strangers:
        site.who = who
        for what in ("accounts.csv", "accounts.json", "aggregates.csv", "aggregates.json", "evidence.html"):
            for selection in (CHOSEN, Selection(capture_ids=("nothing",))):
                answer = site.get(what, selection)
                assert answer.status_code == 403
                assert "night" not in answer.text
    assert site.lake.audit.recent() == []
    site.who = LOCAL
    mine = site.lake.insights.sessions.create(LOCAL, ["c1"])
    session = Selection(session_id=mine.session_id)
    assert site.get("accounts.csv", session).status_code == 200
    site.who = strangers[1]
    assert site.get("accounts.csv", session).status_code == 403


@pytest.mark.parametrize("ask", ["", "{", "[]", "1", "[" * 5_000, '"' + "x" * 30_000 + '"'])
def test_what_is_no_selection_is_refused(site: Site, ask: str) -> None:
    answer = site.get("accounts.csv", ask)
    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"


def test_other_names_are_not_there_and_failures_are_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.get("accounts.exe", CHOSEN).status_code == 404

    def fail(*_: Any) -> Callable[..., Any]:
        raise StorageError("The lake does not answer.")

    monkeypatch.setattr(site.lake.insights, "analysis", fail)
    answer = site.get("accounts.csv", CHOSEN)
    assert (answer.status_code, answer.text) == (503, "The lake does not answer.")


def test_a_cohort_that_was_found_goes_out_by_every_way(tmp_path: Path) -> None:
    with Ingest(tmp_path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(tmp_path, ingest)
        crowd, wave = [str(1_000 + n) for n in range(400)], [str(2_000 + n) for n in range(40)]
        # One account each ten days, and forty on one day.
        lake.born(
            {who: TODAY - 100 - 10 * n for n, who in enumerate(crowd)} | dict.fromkeys(wave, TODAY - 40)
        )
        lake.capture("c1", [*crowd, *wave])
        site = Site(lake)
        figures = site.get("aggregates.json", CHOSEN).get_json()
        (cohort,) = [one for one in figures["cohorts"] if one["start"] == "2024-08-25"]
        assert (cohort["end"], cohort["observed"]) == ("2024-08-25", 40)
        assert cohort["q"] < 0.01
        number = str(cohort["number"])
        rows = rows_of(iter([site.get("aggregates.csv", CHOSEN).data]))
        assert [
            row["observed"] for row in rows if row["section"] == "cohort" and row["cohort"] == number
        ] == ["40"]
        people = rows_of(iter([site.get("accounts.csv", CHOSEN).data]))
        assert {row["twitch_user_id"] for row in people if row["cohort"] == number} == set(wave)
        told = site.get("accounts.json", Selection(capture_ids=("c1",), cohort=cohort["number"])).get_json()
        assert [one["created_at"] for one in told["accounts"]] == ["2024-08-25T12:00:00Z"] * 40
        page = Page(site.get("evidence.html", CHOSEN).text)
        assert page.open == []
        assert f"Unusual cohort {number}: created 2024-08-25" in page.text
        lake.close()


def test_a_comparison_goes_out_and_so_does_each_side(site: Site) -> None:
    site.lake.capture("c2", ["2", "3", "4"], at=T0 + 20 * MIN, logins={"3": "night", "4": "=evil"})
    told = site.compare("comparison.json").get_json()
    assert {side: facts["count"] for side, facts in told["sides"].items()} == {
        "came": 1,
        "left": 1,
        "stayed": 2,
    }
    assert (told["first"]["capture_id"], told["second"]["capture_id"]) == ("c1", "c2")
    assert sum(one["left"] for one in told["created"]) == 1
    rows = rows_of(iter([site.compare("comparison.csv").data]))
    (count,) = [row for row in rows if (row["section"], row["key"]) == ("accounts", "count")]
    assert (count["came"], count["left"], count["stayed"]) == ("1", "1", "2")
    came = site.compare("accounts.csv", side="came")
    assert "came-accounts.csv" in came.headers["Content-Disposition"]
    assert [(row["twitch_user_id"], row["login"]) for row in rows_of(iter([came.data]))] == [("4", "'=evil")]
    stayed = site.compare("accounts.json", side="stayed").get_json()
    assert (stayed["side"], {one["twitch_user_id"] for one in stayed["accounts"]}) == ("stayed", {"2", "3"})
    details = [entry.detail for entry in site.lake.audit.recent()]
    assert "came-accounts.csv of moth, 1 accounts" in details
    assert len(details) == 4


def test_a_comparison_is_for_those_who_may_see_both(site: Site) -> None:
    site.lake.capture("c2", ["2"], at=T0 + 20 * MIN)
    assert site.compare("comparison.exe").status_code == 404
    assert site.compare("accounts.csv", side="everybody").status_code == 404
    for who in (NOBODY, Access("77", "stranger", rooms=frozenset({"stranger"}))):
        site.who = who
        for what in ("comparison.csv", "comparison.json", "accounts.csv", "accounts.json"):
            for second in ("c2", "nothing"):
                answer = site.compare(what, second, side="left")
                assert answer.status_code == 403
                assert "night" not in answer.text
    assert site.lake.audit.recent() == []
