"""What a person is in a channel: subscriber, moderator, VIP; and so their badges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dashboard.sandbox import chance, users
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import Population, User

_SUB_BADGES = (0, 2, 3, 6, 9, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66, 72, 78, 84, 90, 96)
_BIT_BADGES = (1, 100, 1000, 5000, 10_000, 25_000)
_MONTH_S = 30.44 * 86_400


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's standing in one channel."""

    months: int
    """Months subscribed so far; 0 is not subscribed."""
    tier: str
    is_mod: bool
    is_vip: bool
    badges: str
    badge_info: str


class Standings:
    """Everybody's standing everywhere, at any time."""

    def __init__(
        self,
        seed: int,
        channels: tuple[Channel, ...],
        population: Population,
        helper: int | None = None,
    ) -> None:
        self._seed = seed
        self._helper = helper
        self._channels = channels
        self._population = population
        self._cached = lru_cache(maxsize=32_768)(self._find)

    def of(
        self, user: User, channel: Channel, t: float, new_sub: tuple[float, str] | None = None
    ) -> Standing:
        """The standing at a time.

        Args:
            user: Who.
            channel: Where.
            t: When (Unix time).
            new_sub: Since when and at which tier somebody subscribes anew in the stream that is on.

        Returns:
            The standing, badges in Twitch's own form.
        """
        standing = self._cached(user.index, channel.index, int(t // _MONTH_S))
        if new_sub is None or standing.months or t < new_sub[0]:
            return standing
        return self._dressed(user, channel, 1, new_sub[1])

    def _find(self, index: int, c: int, month: int) -> Standing:
        """Four in ten who come often have subscribed at some time, and most of them go on."""
        user, channel = self._population.user(index), self._channels[c]
        if users.LURKER_BASE <= index < users.SERVICE_BASE:
            return Standing(0, "", False, False, "", "")
        share = chance.unit(self._seed, "sub", channel.index, user.index)
        started = int(user.created_s // _MONTH_S) + 2
        months = 0
        if share < 0.22 and user.index < users.WAVE_BASE:
            first = month - int((share / 0.22) ** 2.2 * 70)
            months = max(0, month - max(first, started)) + 1
        tier = ("1000", "1000", "1000", "Prime", "Prime", "2000", "3000")[int(share * 1e6) % 7]
        return self._dressed(user, channel, months, tier)

    def _dressed(self, user: User, channel: Channel, months: int, tier: str) -> Standing:
        random = chance.dice(self._seed, "standing", channel.index, user.index)
        is_owner = user.user_id == channel.user_id
        is_service = users.SERVICE_BASE <= user.index < users.WAVE_BASE
        is_plain = user.index >= users.WAVE_BASE
        roll = random.random()
        is_helper = user.index == self._helper and channel.index in (0, 2)
        is_chosen = is_service or is_helper or roll < 6 / channel.member_count
        is_mod = not is_owner and not is_plain and is_chosen
        is_vip = not is_mod and not is_owner and not is_plain and roll < 26 / channel.member_count
        badges = []
        if is_owner:
            badges.append("broadcaster/1")
            months, tier = months or 12, "3000"
        if is_mod:
            badges.append("moderator/1")
        if is_vip:
            badges.append("vip/1")
        if months:
            step = max(step for step in _SUB_BADGES if step <= months)
            badges.append(f"subscriber/{step + {'2000': 2000, '3000': 3000}.get(tier, 0)}")
        if is_owner:
            badges.append("partner/1")
        elif not is_plain and random.random() < 0.07:
            badges.append(f"bits/{random.choices(_BIT_BADGES, (4, 6, 4, 1, 1, 0.3))[0]}")
        elif not is_plain and random.random() < 0.2:
            badges.append("premium/1")
        elif not is_plain and random.random() < 0.02:
            badges.append("turbo/1")
        info = f"subscriber/{months}" if months else ""
        return Standing(months, tier if months else "", is_mod, is_vip, ",".join(badges), info)
