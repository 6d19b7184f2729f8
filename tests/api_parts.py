"""An API over a real data folder, for one who asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.api.blueprint import ApiParts, api_blueprint
from dashboard.api.health import health_report
from dashboard.config import Settings
from dashboard.events import Event
from dashboard.insights.record_rights import own_channel
from dashboard.insights.records import Records
from dashboard.storage.api_keys import open_api_keys
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State
from dashboard.storage.store import Store


class Api:
    """The API in this process; ``access`` is who the browser is, ``people`` who keys belong to,
    ``moderated`` what they moderate."""

    def __init__(self, data_dir: Path, *, timeout_s: float = 30, **settings: Any) -> None:
        values: dict[str, Any] = {"api_requests_per_min": 100_000} | settings
        self.settings = Settings(_env_file=None, data_dir=data_dir, **values)
        self.access: Access = LOCAL
        self.people: dict[str, Access] = {"local": LOCAL}
        self.store = Store(data_dir, timeout_s=timeout_s)
        self.keys = open_api_keys(self.settings)
        self.state = State(data_dir)
        self.moderated: dict[str, frozenset[str]] = {}
        records = Records(self.store, managed=self._managed)
        self.app = Flask("api-test")
        parts = ApiParts(
            settings=self.settings,
            records=records,
            keys=self.keys,
            current_access=lambda: self.access,
            access_of_user=lambda user_id: self.people.get(user_id, NOBODY),
            health=health_report(self.state, records),
        )
        self.app.register_blueprint(api_blueprint(parts))

    def _managed(self, access: Access) -> frozenset[str]:
        return own_channel(access) | self.moderated.get(access.user_id, frozenset())

    @property
    def client(self) -> FlaskClient:
        """A browser."""
        return self.app.test_client()

    def get(self, path: str, **options: Any) -> Any:
        """An answer to GET ``/api/v1/<path>``."""
        return self.client.get(f"/api/v1/{path}", **options)

    def data(self, path: str, **options: Any) -> list[dict[str, Any]]:
        """The rows of an answer that has to be good."""
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json["data"]
        return rows

    def ids(self, path: str, **options: Any) -> list[str]:
        """The event ids of an answer that has to be good, in its order."""
        return [row["event_id"] for row in self.data(path, **options)]

    def close(self) -> None:
        """Lets go of everything."""
        self.store.close()
        self.keys.close()
        self.state.close()


def put(data_dir: Path, *groups: Sequence[Event]) -> None:
    """Stores events, each group in files of its own."""
    with Ingest(data_dir) as ingest:
        for group in groups:
            ingest.put(group)
            ingest.flush()
