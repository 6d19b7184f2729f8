"""What holds for all tests."""

from __future__ import annotations

import pytest

from tests.postgres_server import postgres_server, state_url  # noqa: F401
from tests.s3_servers import moto, moto_server, swift, swift_server  # noqa: F401


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts browser tests last: Playwright keeps an event loop running, and asyncio's tests want their own."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
