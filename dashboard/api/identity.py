"""Who asks the API: the session of a browser, or a key in ``Authorization: Bearer``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import request

from dashboard.access import NOBODY, Access
from dashboard.storage.api_keys import SCOPES, ApiKeys


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, what they may do, and under which name their requests are counted."""

    access: Access
    scopes: frozenset[str]
    counted_as: str
    problem: str = ""
    """Why nobody is there, in words; empty when somebody is."""


def who_asks(
    keys: ApiKeys, current_access: Callable[[], Access], access_of_user: Callable[[str], Access]
) -> Caller:
    """Finds out who sent the request.

    Args:
        keys: All keys.
        current_access: Who the browser's session is.
        access_of_user: What somebody may see now; NOBODY for who is not let in any more.

    Returns:
        The caller; its access is NOBODY, with the problem in words, when it has to be refused.

    Raises:
        StorageError: The state database does not answer.
    """
    address = f"address {request.remote_addr or ''}"
    header = request.headers.get("Authorization")
    if header is None:
        access = current_access()
        if access == NOBODY:
            problem = "Log in, or send a key as “Authorization: Bearer sl_…” (made on the account page)."
            return Caller(NOBODY, frozenset(), address, problem)
        return Caller(access, frozenset(SCOPES), f"user {access.user_id}")
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        return Caller(NOBODY, frozenset(), address, "Send the key as “Authorization: Bearer sl_…”.")
    key = keys.find(text.strip())
    if key is None:
        # The same words for wrong, ended and revoked: nothing is learnt by trying.
        return Caller(NOBODY, frozenset(), address, "This key does not work: wrong, ended or revoked.")
    access = access_of_user(key.user_id)
    if access == NOBODY:
        return Caller(NOBODY, frozenset(), address, "The owner of this key may not log in any more.")
    return Caller(access, key.scopes, f"key {key.prefix}")
