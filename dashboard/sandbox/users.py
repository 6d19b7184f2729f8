"""The people: who they are, when their accounts were made, and how to find them again.

A person is a number. Everything about them is computed from it, and logins and ids can be turned
back into the number, so a million people take no memory. People are *born*: somebody whose
account is made next year is on no list today.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dashboard.sandbox import chance, words
from dashboard.sandbox.renames import ENDING, named
from dashboard.sandbox.scene import Channel, Community

Index = NDArray[np.int64]

CHANNEL_BASE = 10**9
LURKER_BASE = 2 * 10**9
SERVICE_BASE = 3 * 10**9
WAVE_BASE = 4 * 10**9
WAVE_SIZE = 1024
"""Wave ``w`` of the world owns the numbers from ``WAVE_BASE + w * WAVE_SIZE``."""

_FIRST_YEAR, _LAST_YEAR = 2007, 2036
# How many of the accounts that chat were made in each year: slow start, the rush of 2020, steady since.
_MADE = (0.1, 0.25, 0.5, 1, 2.5, 4.2, 5.6, 6.3, 7, 7.6, 8.1, 8.7, 9.8, 16.5, 14.8, 11.6, 10.4, 10, 9.8)
# Ids at the start of each year from 2007 on, as they grew on Twitch (later years: at the last pace).
_IDS = (
    *(4e4, 5e5, 5.5e6, 1.3e7, 2.2e7, 3.1e7, 4.4e7, 6.3e7, 9e7, 1.26e8, 1.6e8, 2e8, 2.7e8, 3.9e8),
    *(6.3e8, 7.6e8, 8.7e8, 1.01e9, 1.24e9, 1.42e9),
)
_MONTHS = (1.12, 0.98, 0.97, 0.95, 0.94, 0.97, 1.03, 1.02, 0.96, 0.97, 1.0, 1.09)
_DAY_S = 86_400


def _year_start(year: int) -> float:
    return datetime(year, 1, 1, tzinfo=UTC).timestamp()


def _calendar() -> tuple[list[float], list[float]]:
    """Days, and the share of all accounts made before each.

    More are made at weekends and at some great event now and then, on all of Twitch at once: a
    day that stands out in one channel but not elsewhere is what a detector has to find.
    """
    starts, shares = [], [0.0]
    day = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    while day.year < _LAST_YEAR:
        weight = _MADE[min(day.year - _FIRST_YEAR, len(_MADE) - 1)] * _MONTHS[day.month - 1]
        if (day.year, day.month) in ((2020, 3), (2020, 4), (2020, 5)):
            weight *= 1.5
        if day.weekday() > 4:
            weight *= 1.12
        if chance.unit(0, "great event", day.toordinal() // 2) < 0.02:
            weight *= 1.6
        starts.append(day.timestamp())
        shares.append(shares[-1] + weight)
        day += timedelta(days=1)
    starts.append(_year_start(_LAST_YEAR))
    return starts, [share / shares[-1] for share in shares]


_STARTS, _SHARES = (np.asarray(column) for column in _calendar())
_ID_STARTS = np.asarray([_year_start(_FIRST_YEAR + i) for i in range(len(_IDS))] + [_year_start(_LAST_YEAR)])
_ID_VALUES = np.asarray([*_IDS, _IDS[-1] + 1.6e8 * (_LAST_YEAR - _FIRST_YEAR - len(_IDS) + 1)])


@dataclass(frozen=True, slots=True)
class User:
    """One account."""

    index: int
    user_id: str
    login: str
    display_name: str
    color: str
    created_s: float
    """Unix time at which the account was made."""
    language: str


class Population:
    """Everybody there is."""

    def __init__(self, seed: int, communities: tuple[Community, ...], channels: tuple[Channel, ...]) -> None:
        self._seed = seed
        self._communities = communities
        self._channels = channels
        sizes = [community.pool_size for community in communities]
        self._offsets = [sum(sizes[:g]) for g in range(len(sizes) + 1)]
        self.regular_count = self._offsets[-1]
        self._name_counts = list(_name_counts(self.regular_count))
        self._names = sum(self._name_counts)
        self._channel_logins = {channel.login: channel for channel in channels}
        self._channel_ids = {channel.user_id: channel for channel in channels}
        self.user = lru_cache(maxsize=32_768)(self._user)
        self._waves: dict[int, tuple[float, str]] = {}
        self._wave_keys: dict[str, int] = {}
        self._wave_ids: dict[str, int] = {}
        self._places: dict[int, Index] = {}
        self._id_order: tuple[Index, Index] | None = None

    def at(self, index: int, t: float) -> User:
        """Somebody as they are called at a time: some change their names."""
        user = self.user(index)
        return named(self._seed, user, t) if index >= WAVE_BASE else user

    def community_of(self, index: int) -> int:
        """The community a regular lives in."""
        return bisect_right(self._offsets, index) - 1

    def pool(self, community: int) -> tuple[int, int]:
        """First number and count of a community's people."""
        return self._offsets[community], self._communities[community].pool_size

    def created(self, indexes: Index) -> NDArray[np.float64]:
        """When these regulars' accounts were made (Unix time), in one vector operation."""
        made = np.empty(len(indexes))
        homes = np.searchsorted(np.asarray(self._offsets), indexes, side="right") - 1
        for g in np.unique(homes):
            here = homes == g
            made[here] = self._created_in(int(g), indexes[here] - self._offsets[int(g)])
        return made

    def _created_in(self, g: int, ranks: Index) -> NDArray[np.float64]:
        """Stratified over the pool, so no two of a community share a moment (and so no id)."""
        size = self._communities[g].pool_size
        if g not in self._places:
            everybody = np.arange(size, dtype=np.int64)
            order = np.argsort(chance.units(everybody, chance.number(self._seed, "made", g)), kind="stable")
            self._places[g] = np.empty(size, dtype=np.int64)
            self._places[g][order] = everybody
        within = chance.units(ranks, chance.number(self._seed, "made at", g))
        share = (self._places[g][ranks] + 0.1 + 0.8 * within) / size
        return np.interp(share ** self._communities[g].age_tilt, _SHARES, _STARTS)

    def _user(self, index: int) -> User:
        if index >= WAVE_BASE:
            return self._wave_user(index)
        if index >= CHANNEL_BASE:
            return self._special(index)
        g = self.community_of(index)
        created = float(self._created_in(g, np.array([index - self._offsets[g]]))[0])
        random = chance.dice(self._seed, "user", index)
        login = self._regular_login(index)
        language = self._communities[g].language
        return User(
            index=index,
            user_id=str(_mint(created) // 32 * 32 + g % 32),
            login=login,
            display_name=_display_name(random.random(), login, language, random.random()),
            color=_color(random.random(), random.getrandbits(24)),
            created_s=float(int(created)),
            language=language,
        )

    def _regular_login(self, index: int) -> str:
        place = chance.shuffled(index, self._names, self._seed, "names")
        form = 0
        while place >= self._name_counts[form]:
            place -= self._name_counts[form]
            form += 1
        is_adjective, before, between, after = words.FORMS[form]
        first, second = divmod(place, len(words.NOUNS))
        word = (words.ADJECTIVES if is_adjective else words.NOUNS)[first]
        return f"{before}{word}{between}{words.NOUNS[second]}{after}"

    def _special(self, index: int) -> User:
        if index >= SERVICE_BASE:
            login, created = words.SERVICE_BOTS[index - SERVICE_BASE], _year_start(2013)
        elif index >= LURKER_BASE:
            login, created = words.LURKERS[index - LURKER_BASE], _year_start(2015)
        else:
            channel = self._channels[index - CHANNEL_BASE]
            created = float(int(np.interp(float(channel.user_id), _ID_VALUES, _ID_STARTS)))
            return User(
                index,
                channel.user_id,
                channel.login,
                channel.display_name,
                "#8A2BE2",
                created,
                channel.language,
            )
        created += chance.unit(self._seed, "bot", login) * 3 * 365 * 86_400
        # Odd endings keep them apart from the regulars' ids.
        return User(index, str(_mint(created) // 32 * 32 + 31), login, login, "", float(int(created)), "en")

    def add_wave(self, wave: int, count: int, first_day_s: float, day_count: int, style: int) -> None:
        """Makes a cohort: accounts of a few days with names of one shape.

        Args:
            wave: The wave's number in the world.
            count: How many accounts.
            first_day_s: Unix time of the first creation day's midnight.
            day_count: On how many days they were made.
            style: Which name shape.
        """
        if wave * WAVE_SIZE in self._waves:
            return
        for k in range(count):
            key = wave * WAVE_SIZE + k
            random = chance.dice(self._seed, "wave", wave, k)
            stem = random.choice(words.WAVE_STEMS)
            tail = f"{chance.shuffled(key % 90_000, 90_000, self._seed, 'wave names') + 10_000}"
            login = (f"{stem}_{tail}", f"{stem}{tail}x", f"{stem}{random.choice('bcdfgk')}{tail}")[style % 3]
            span = day_count * _DAY_S
            # Strictly rising, so ids never meet.
            created = first_day_s + (k + 0.2 + 0.6 * random.random()) / count * span
            self._waves[key] = created, login
            self._wave_keys[login] = key
            self._wave_ids[_wave_id(created)] = key

    def _wave_user(self, index: int) -> User:
        created, login = self._waves[index - WAVE_BASE]
        return User(index, _wave_id(created), login, login, "", float(int(created)), "en")

    def by_login(self, login: str) -> User | None:
        """The account with this login, if anybody ever has or had it."""
        if channel := self._channel_logins.get(login):
            return self.user(CHANNEL_BASE + channel.index)
        if login in words.LURKERS:
            return self.user(LURKER_BASE + words.LURKERS.index(login))
        if login in words.SERVICE_BOTS:
            return self.user(SERVICE_BASE + words.SERVICE_BOTS.index(login))
        for known in (login, login.removesuffix(ENDING)):
            if known in self._wave_keys:
                return self.user(WAVE_BASE + self._wave_keys[known])
        return self._regular_by_login(login)

    def _regular_by_login(self, login: str) -> User | None:
        skipped = 0
        for count, (is_adjective, before, between, after) in zip(
            self._name_counts, words.FORMS, strict=False
        ):
            if login.startswith(before) and login.endswith(after):
                middle = login[len(before) : len(login) - len(after)]
                for place in _name_places(middle, between, _ADJECTIVE_AT if is_adjective else _NOUN_AT):
                    index = chance.unshuffled(skipped + place, self._names, self._seed, "names")
                    if index < self.regular_count:
                        return self.user(index)
            skipped += count
        return None

    def by_id(self, user_id: str) -> User | None:
        """The account with this id, if there is one."""
        if not user_id.isascii() or not user_id.isdigit() or len(user_id) > 12:
            return None
        if channel := self._channel_ids.get(user_id):
            return self.user(CHANNEL_BASE + channel.index)
        if user_id in self._wave_ids:
            return self.user(WAVE_BASE + self._wave_ids[user_id])
        ids, order = self._ids()
        at = int(np.searchsorted(ids, int(user_id)))
        if at < len(ids) and ids[at] == int(user_id):
            return self.user(int(order[at]))
        specials = [LURKER_BASE + k for k in range(len(words.LURKERS))]
        specials += [SERVICE_BASE + k for k in range(len(words.SERVICE_BOTS))]
        return next((user for user in map(self.user, specials) if user.user_id == user_id), None)

    def _ids(self) -> tuple[Index, Index]:
        """All regulars' ids in order, and whose they are; made once, when first asked for."""
        if self._id_order is None:
            everybody = np.arange(self.regular_count, dtype=np.int64)
            ids = np.interp(self.created(everybody), _ID_STARTS, _ID_VALUES).astype(np.int64)
            homes = np.searchsorted(np.asarray(self._offsets), everybody, side="right") - 1
            ids = ids // 32 * 32 + homes % 32
            order = np.argsort(ids)
            self._id_order = ids[order], everybody[order]
        return self._id_order


_ADJECTIVE_AT = {word: i for i, word in enumerate(words.ADJECTIVES)}
_NOUN_AT = {word: i for i, word in enumerate(words.NOUNS)}


def _name_counts(wanted: int) -> Iterator[int]:
    """How many names of each form are used, so that there are enough for everybody."""
    wanted = int(wanted * 1.05) + 1
    for is_adjective, _, _, _ in words.FORMS:
        count = len(words.ADJECTIVES if is_adjective else words.NOUNS) * len(words.NOUNS)
        # All names of the plain forms; the last form is cut to what is still needed.
        yield min(count, wanted)
        wanted -= count
        if wanted <= 0:
            return
    raise ValueError("too many people for the names there are: fewer channels, please")


def _name_places(middle: str, between: str, first_words: dict[str, int]) -> Iterator[int]:
    """Every way in which a text is two words with something in between."""
    for cut in range(2, len(middle) - 1):
        first = first_words.get(middle[:cut])
        if first is not None and middle.startswith(between, cut):
            second = _NOUN_AT.get(middle[cut + len(between) :])
            if second is not None:
                yield first * len(words.NOUNS) + second


def _wave_id(created_s: float) -> str:
    return str(_mint(created_s) // 32 * 32 + 30)


def _mint(created_s: float) -> int:
    """The id that an account made at this time gets: ids grow as they did on Twitch."""
    return int(np.interp(created_s, _ID_STARTS, _ID_VALUES))


def _display_name(chance_local: float, login: str, language: str, chance_case: float) -> str:
    local = words.LOCAL_NAMES.get(language, ())
    if local and chance_local < 0.5:
        return local[int(chance_local * 2 * len(local))] + login[-2:]
    if chance_case < 0.45:
        return login
    return login[0].upper() + login[1:] if chance_case < 0.9 else login.upper()


def _color(chance_color: float, any_color: int) -> str:
    if chance_color < 0.28:
        return ""
    if chance_color < 0.78:
        return words.COLORS[any_color % len(words.COLORS)]
    return f"#{any_color:06X}"
