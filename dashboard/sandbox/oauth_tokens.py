"""Tokens: what they stand for, whether they still count, and who has let which app in.

Tokens carry what they stand for and a signature, so they outlive a restart of the sandbox (as
Twitch's outlive one of Twitch's). Nothing here protects anything: the people are invented.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dashboard.sandbox.users import User
from dashboard.sandbox.world import World

CLIENT_ID = "sandbox-client"
APP_LIFE_S = 5_000_000
USER_LIFE_S = 14_400


@dataclass(frozen=True, slots=True)
class Token:
    """What an access token stands for."""

    kind: str
    """``app``, ``user`` or ``refresh``."""
    client_id: str
    login: str
    """Whose it is; empty for an app."""
    scopes: tuple[str, ...]
    issued_at_s: float
    expires_at_s: float
    is_single_use: bool = False


class OnChange(Protocol):
    """Hears that somebody let an app in or threw it out."""

    def __call__(self, client_id: str, user: User, *, is_granted: bool) -> None: ...


def _nobody_listens(client_id: str, user: User, *, is_granted: bool) -> None:
    pass


class Tokens:
    """All tokens.

    Args:
        world: Whose people they are of.
        clock: What time it is (Unix seconds).
    """

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self._world = world
        self._clock = clock
        self._key = hashlib.sha256(f"sandbox {world.seed}".encode()).digest()
        self._gone: set[str] = set()
        self._valid_from_s = 0.0
        self._grants: dict[tuple[str, str], frozenset[str]] = {}
        self._generations: dict[str, int] = {}
        self.on_change: OnChange = _nobody_listens
        """Called when somebody lets an app in or throws it out."""

    def issue(
        self,
        kind: str,
        login: str = "",
        scopes: tuple[str, ...] = (),
        *,
        client_id: str = CLIENT_ID,
        once: bool = False,
    ) -> str:
        """Makes a token.

        Args:
            kind: ``app``, ``user`` or ``refresh``.
            login: Whose token (not for apps).
            scopes: What it may do.
            client_id: For which app.
            once: A refresh token that can be used only once.

        Returns:
            The token.
        """
        now = self._clock()
        life = {"app": APP_LIFE_S, "user": USER_LIFE_S}.get(kind, 10 * APP_LIFE_S)
        generation = self._generations.get(login, 0)
        nonce = secrets.token_hex(4)
        body = json.dumps([kind, client_id, login, scopes, now, now + life, once, nonce, generation])
        if kind == "user":
            self._remember(client_id, login, scopes)
        packed = base64.b32encode(body.encode()).decode().rstrip("=").lower()
        return packed + self._signature(packed)

    def _is_signed(self, token: str) -> bool:
        return hmac.compare_digest(self._signature(token[:-20]).encode(), token[-20:].encode())

    def _signature(self, packed: str) -> str:
        return hmac.new(self._key, packed.encode(), "sha256").hexdigest()[:20]

    def read(self, token: str) -> Token | None:
        """What a token stands for, or ``None`` when it is invalid, revoked or too old."""
        packed = token[:-20]
        if token in self._gone or not self._is_signed(token):
            return None
        body = json.loads(base64.b32decode(packed.upper() + "=" * (-len(packed) % 8)))
        found = Token(body[0], body[1], body[2], tuple(body[3]), body[4], body[5], body[6])
        if found.expires_at_s <= self._clock() or found.issued_at_s < self._valid_from_s:
            return None
        if generation(body) < self._generations.get(found.login, 0):
            return None
        if found.kind == "user":
            self._remember(found.client_id, found.login, found.scopes)
        return found

    def _remember(self, client_id: str, login: str, scopes: tuple[str, ...]) -> None:
        """What somebody has allowed an app: all that any of their tokens may do."""
        known = self._grants.get((client_id, login), frozenset())
        self._grants[client_id, login] = known | set(scopes)

    def granted(self, client_id: str, login: str) -> frozenset[str]:
        """The scopes that somebody has granted an app."""
        return self._grants.get((client_id, login), frozenset())

    def has_authorized(self, client_id: str, login: str) -> bool:
        """Whether somebody has let an app in at all."""
        return (client_id, login) in self._grants

    def revoke_user(self, login: str) -> bool:
        """Somebody disconnects every app: all their tokens end, and the subscriptions made with them.

        Args:
            login: Who.

        Returns:
            Whether there is such a person.
        """
        user = self._world.population.by_login(login)
        if user is None:
            return False
        self._generations[user.login] = self._generations.get(user.login, 0) + 1
        for client_id, who in list(self._grants):
            if who == user.login:
                del self._grants[client_id, who]
                self.on_change(client_id, user, is_granted=False)
        return True

    def expire_all(self) -> None:
        """Makes every access token issued so far invalid; refresh tokens go on."""
        self._valid_from_s = self._clock()

    def user_of(self, token: Token) -> User | None:
        """The person behind a token."""
        return self._world.population.by_login(token.login) if token.login else None


def generation(body: list[object]) -> int:
    """How often its person had thrown the app out when a token was made."""
    return int(str(body[8])) if len(body) > 8 else 0
