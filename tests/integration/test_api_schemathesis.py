"""The API held against its own description by schemathesis: any request, good or bad."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from hypothesis import HealthCheck, Phase, given, settings

from dashboard.api.openapi import openapi_document
from dashboard.events import RoomState
from tests.api_parts import Api, put
from tests.storage_events import T0, messages

EXAMPLES = 12
NO_PROMISE = {"positive_data_acceptance"}
"""What fits the description may still be refused: a cursor that no answer gave, an end before its start."""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("data")
    api = Api(folder, api_requests_per_min=10_000_000)
    put(folder, messages(1, 30), messages(31, 40, room="beta"))
    state = {"event_id": "s", "source": "irc", "room_login": "alpha", "sent_at": T0, "received_at": T0}
    put(folder, [RoomState(**state, slow_s=3)])
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api.app)
    api.close()


@pytest.mark.parametrize("is_good", [True, False], ids=["good", "bad"])
@pytest.mark.parametrize("path", sorted(openapi_document()["paths"]))
def test_any_request_is_answered_as_described(described: Any, path: str, is_good: bool) -> None:
    mode = schemathesis.GenerationMode.POSITIVE if is_good else schemathesis.GenerationMode.NEGATIVE
    call_checks = {"excluded_checks": [getattr(schemathesis.checks, name) for name in NO_PROMISE]}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described[path]["GET"].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(**call_checks)

    ask()
