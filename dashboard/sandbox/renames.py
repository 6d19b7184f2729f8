"""Who changes their name: some of the made-up accounts, now and then, and some of them back again.

Only accounts that never write do it, so a name in chat is the same whoever tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dashboard.sandbox import chance

if TYPE_CHECKING:
    from dashboard.sandbox.users import User

_SHARE = 0.1
_SHORTEST_S, _LONGEST_S = 1_200, 10_800
_DISPLAYS_A_LOGIN = 5
"""How the name is written changes so often before the login does."""
ENDING = "x"
"""What a changed login ends in."""


def named(seed: int, user: User, t: float) -> User:
    """A made-up account as it is called at a time.

    Args:
        seed: Of the world.
        user: The account as it was made.
        t: Unix time.
    """
    period_s = _period_s(seed, user)
    if period_s is None:
        return user
    step = int((t - user.created_s) // period_s)
    # Every third login is another one, so the first comes back.
    has_other = step // _DISPLAYS_A_LOGIN % 3 == 1
    login = user.login[:24] + ENDING if has_other else user.login
    return replace(user, login=login, display_name=(login, login.capitalize(), login.upper())[step % 3])


def renames(seed: int, user: User, start: float, end: float) -> Iterator[tuple[float, User, User]]:
    """The changes in a stretch: when, from what and to what."""
    period_s = _period_s(seed, user)
    if period_s is None:
        return
    step = int((start - user.created_s) // period_s)
    while (at := user.created_s + step * period_s) < end:
        if at >= start:
            yield at, named(seed, user, at - 1), named(seed, user, at + 1)
        step += 1


def _period_s(seed: int, user: User) -> float | None:
    if chance.unit(seed, "renames", user.index) >= _SHARE:
        return None
    return _SHORTEST_S + (_LONGEST_S - _SHORTEST_S) * chance.unit(seed, "renames every", user.index)
