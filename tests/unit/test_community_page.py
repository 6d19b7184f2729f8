from __future__ import annotations

import math
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dash import no_update

from bench.map_runs import map_run
from callbacks import community, community_orders
from dashboard.access import LOCAL, Access
from dashboard.config import Settings
from dashboard.errors import QueryTimeout
from dashboard.insights.community import CommunityInsights
from dashboard.services import Services
from dashboard.ui import community_words as words
from tests.community_fakes import FakeJobs, FakeNames, FakeOrders, FakeRuns, presence_of

RUN = map_run(60, 160, n_communities=5, seed=3)
UTC = ZoneInfo("UTC")
VIEWER = Access("7", "somebody", rooms=frozenset({"mothlight"}))


def services(*runs: Any, access: Access = LOCAL, error: Exception | None = None) -> Services:
    page = CommunityInsights(
        FakeRuns(runs, error), FakeNames(), presence_of, FakeOrders(), FakeJobs(), public_rooms=lambda: ()
    )
    settings = Settings(_env_file=None, sandbox=True)
    return Services(settings, None, None, None, community=page, current_access=lambda: access)  # type: ignore[arg-type]


def test_the_statement_says_who_was_counted_for_how_long_and_who_was_not() -> None:
    report = replace(
        RUN.quality,
        n_chatters=1234,
        observed_hours=320.4,
        n_channels=60,
        from_at=1_767_225_600_000_000,
        until_at=1_767_312_000_000_000,
    )
    assert words.statement(report, UTC) == (
        "1,234 people who wrote in chat in 320 observed hours of 60 channels "
        "from 1 Jan 2026 to 2 Jan 2026: not viewers."
    )
    connected = words.statement(replace(report, seen_as="connected"), UTC)
    assert "connected to chat" in connected
    assert "whether they watch is unknown" in connected
    assert "0" not in words.statement(
        replace(report, observed_hours=math.nan, from_at=0, until_at=0, n_channels=6), UTC
    )
    assert "it does not say" in words.statement(replace(report, seen_as="imported"), UTC)


def test_a_first_look_sends_the_map_and_a_second_one_nothing_of_it() -> None:
    first = community.draw(services(RUN), {"tz": "UTC", "seq": 1}, None)
    assert len(first["data"]["payload"]["nodes"]["id"]) == 60
    assert first["root"] == "community is-ready is-admin"
    assert first["cursor"]["made"] == {
        "measure": "jaccard",
        "shared": 2,
        "resolution": RUN.params.resolution,
        "size": 2,
    }
    second = community.draw(services(RUN), {"tz": "UTC", "seq": 2}, first["cursor"])
    assert second["data"] is no_update
    cut = community.draw(services(RUN), {"tz": "UTC", "seq": 3, "shared": 12}, first["cursor"])
    assert cut["cursor"]["sliders"]["shared"] == 5
    assert cut["cursor"]["made"]["shared"] == 2
    assert cut["data"]["payload"] != first["data"]["payload"]


def test_without_a_run_only_who_manages_gets_the_button() -> None:
    mine = community.draw(services(), {"seq": 1}, None)
    theirs = community.draw(services(access=VIEWER), {"seq": 1}, None)
    assert mine["root"] == "community is-empty is-admin"
    assert "data-communityrun" in str(mine["empty"])
    assert theirs["root"] == "community is-empty"
    assert "data-communityrun" not in str(theirs["empty"])


def test_errors_keep_what_is_shown_and_say_what_is_safe() -> None:
    failing = services(RUN, error=QueryTimeout("It took too long."))
    answer = community.draw(failing, {"seq": 2}, {"digest": "a", "run": "b"})
    assert answer["root"] == "community is-ready is-admin"
    assert answer["data"] is no_update
    assert "It took too long." in str(answer["notice"])
    assert community.draw(failing, {"seq": 1}, None)["root"] == "community is-error is-admin"


def test_a_hidden_channel_opens_no_drawer() -> None:
    closed = community.open_drawer(services(RUN, access=VIEWER), {"id": "1001"}, {}, {})
    assert closed == (None, "community-drawer", None)
    body, opened, links = community.open_drawer(services(RUN), {"id": "1001"}, {}, {})
    assert opened == "community-drawer is-open"
    assert "Quietfish" in str(body)
    assert len(links["others"]) == len(links["weights"]) > 0


def test_orders_are_taken_from_who_manages_only() -> None:
    site = services(RUN)
    assert community_orders.order(site, {"run": True, "at": 5}) == ({"run_id": "job-1", "at": 5}, "")
    assert community_orders.order(site, {"run": True, "at": 6}) == (no_update, "It is under way.")
    watch, said = community_orders.order(services(RUN, access=VIEWER), {"run": True})
    assert watch is no_update
    assert "ADMIN_USER_IDS" in said
    assert community_orders.rename(site, {"key": "c1", "label": "Us", "at": 9}) == (
        "It is called Us from now on.",
        9,
    )
    assert (
        "ADMIN_USER_IDS"
        in community_orders.rename(services(RUN, access=VIEWER), {"key": "c1", "label": "x"})[0]
    )


@pytest.mark.parametrize(("least", "place"), [(1, 0), (3, 2), (4, 2), (300, 12), (9_999, 13)])
def test_a_threshold_has_the_nearest_place_on_the_slider(least: int, place: int) -> None:
    assert community.shared_step(least) == place


def test_files_come_as_downloads_and_only_those_there_are() -> None:
    from flask import Flask

    from dashboard.community_web import community_blueprint

    server = Flask("files")
    server.register_blueprint(community_blueprint(services(RUN), lambda: LOCAL))
    client = server.test_client()
    table = client.get("/community/files/graph_nodes.csv?shared=12&x=1")
    assert table.status_code == 200
    assert table.headers["Content-Disposition"] == 'attachment; filename="graph_nodes.csv"'
    assert b"mothlight" in table.data
    assert client.get("/community/files/passwords.csv").status_code == 404
    assert client.get("/community/files/graph.gexf?run=gone").status_code == 404
