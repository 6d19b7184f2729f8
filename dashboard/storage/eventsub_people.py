"""Who a notification names: people who opted out are in none of its records."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_ENDINGS = ("user_id", "user_login", "user_name")


def names_somebody(event: Any, people: Collection[str]) -> bool:
    """Whether an event names one of some people, however deep.

    Args:
        event: The JSON of a notification's event (or list of events).
        people: User ids and lower-case logins; with none the answer is no at once.

    Returns:
        True if any ``…user_id``, ``…user_login`` or ``…user_name`` is one of them.

    Caveats:
        A name that somebody typed into a message is not seen.
    """
    if not people:
        return False
    if isinstance(event, list):
        return any(names_somebody(part, people) for part in event)
    if not isinstance(event, dict):
        return False
    for name, value in event.items():
        if isinstance(value, str):
            if name.endswith(_ENDINGS) and value.lower() in people:
                return True
        elif names_somebody(value, people):
            return True
    return False
