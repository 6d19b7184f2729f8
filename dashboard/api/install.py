"""Puts the API together out of the running parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.access import Access
from dashboard.api.blueprint import ApiParts, api_blueprint
from dashboard.api.health import health_report
from dashboard.auth.current import access_of
from dashboard.insights.chatters_rights import Rights
from dashboard.insights.records import Records
from dashboard.storage.accounts import open_accounts
from dashboard.storage.api_keys import open_api_keys

if TYPE_CHECKING:
    from flask import Blueprint

    from dashboard.services import Services


def open_api(services: Services) -> Blueprint:
    """Everything under ``/api``, over the parts that the pages use; nothing is read before the first request.

    Args:
        services: The running parts.
    """
    settings = services.settings
    accounts = open_accounts(settings)
    records = Records(services.store, managed=Rights(accounts).managed)

    def access_of_user(user_id: str) -> Access:
        return access_of(accounts.get(user_id), settings)

    return api_blueprint(
        ApiParts(
            settings=settings,
            records=records,
            keys=services.api_keys or open_api_keys(settings),
            current_access=services.current_access,
            access_of_user=access_of_user,
            health=health_report(services.state, records),
        )
    )
