"""The planted map: which channels there are, what they play, and which community each belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.sandbox import chance, words


@dataclass(frozen=True, slots=True)
class Game:
    """One category."""

    game_id: str
    name: str
    igdb_id: str


@dataclass(frozen=True, slots=True)
class Community:
    """A group of channels that share much of their audience; what detectors should find again."""

    index: int
    name: str
    language: str
    utc_offset_h: float
    games: tuple[Game, ...]
    pool_size: int
    """How many people live in it."""
    age_tilt: float
    """Above 1: older accounts than elsewhere; below: younger ones."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel and its habits."""

    index: int
    user_id: str
    login: str
    display_name: str
    language: str
    community: Community
    is_home: bool
    is_always_live: bool
    usual_viewers: float
    member_count: int
    """How many people come here at all."""
    growth_per_year: float
    start_hour: float
    """When it usually goes live, in its own time zone."""
    length_h: float
    days_off: tuple[int, ...]
    talk: float
    """How much is written for its size; 1 is usual."""
    emotes: tuple[tuple[str, str], ...]
    """Its own emotes: (id, name)."""
    title: str
    description: str


GAMES = {
    name: Game(game_id, name, igdb)
    for name, game_id, igdb in (
        ("Hollow Knight", "490147", "14593"),
        ("Celeste", "492535", "26226"),
        ("Ori and the Will of the Wisps", "498869", "36926"),
        ("Just Chatting", "509658", ""),
        ("Stardew Valley", "490744", "17000"),
        ("Minecraft", "27471", "121"),
        ("VALORANT", "516575", "126459"),
        ("Counter-Strike", "32399", "241"),
        ("Apex Legends", "511224", "114795"),
        ("Grand Theft Auto V", "32982", "1020"),
        ("Fortnite", "33214", "1905"),
        ("Chess", "743", ""),
        ("Elden Ring", "512953", "119133"),
        ("Baldur's Gate 3", "512923", "119171"),
        ("League of Legends", "21779", "115"),
        ("Teamfight Tactics", "513143", "118871"),
        ("Super Mario 64", "2692", "1074"),
        ("Retro", "27284", ""),
        ("Monster Hunter Wilds", "1223594622", "274755"),
        ("Art", "509660", ""),
        ("Music", "26936", ""),
        ("Dota 2", "29595", "2963"),
        ("Factorio", "130942", "7046"),
        ("World of Warcraft", "18122", "123"),
        ("iRacing", "19554", "8260"),
    )
}

_THEMES: tuple[tuple[str, str, float, str, float], ...] = (
    ("Careful jumps", "en", -5, "Hollow Knight|Celeste|Ori and the Will of the Wisps", 1.0),
    ("Ranked arena", "en", -5, "VALORANT|Counter-Strike|Apex Legends", 0.8),
    ("Deutscher Feierabend", "de", 1, "Minecraft|Grand Theft Auto V|Just Chatting", 1.0),
    ("Charla y juegos", "es", -5, "Grand Theft Auto V|Just Chatting|Fortnite", 0.75),
    ("Cosy evenings", "en", 0, "Stardew Valley|Minecraft|Art", 1.1),
    ("Soirée jeux de rôle", "fr", 1, "Elden Ring|Baldur's Gate 3|Just Chatting", 1.0),
    ("Resenha da madrugada", "pt", -3, "League of Legends|Counter-Strike|Just Chatting", 0.8),
    ("Seoul ladder", "ko", 9, "League of Legends|Teamfight Tactics|Just Chatting", 0.9),
    ("Kyoto hunters", "ja", 9, "Monster Hunter Wilds|Minecraft|Just Chatting", 0.95),
    ("Old consoles", "en", -8, "Super Mario 64|Retro", 1.35),
    ("Sixty-four squares", "en", 0, "Chess|Teamfight Tactics", 1.2),
    ("Lane discipline", "ru", 3, "Dota 2|Counter-Strike", 1.25),
    ("Factories at night", "en", 1, "Factorio|iRacing", 1.3),
    ("Azeroth regulars", "en", -5, "World of Warcraft|Just Chatting", 1.4),
    ("Open studio", "en", -8, "Art|Music", 1.05),
)

_EMOTE_ENDS = ("Hype", "Love", "Wave", "Sip", "Laugh", "Cry", "Think", "Rage", "Jam", "Gasp", "GG", "Hi")

_TITLES = {
    "en": (
        "no-hit attempt {n}",
        "chill runs and a cup of tea",
        "day {n} of the big one",
        "road to the top | !goals",
    ),
    "de": ("Feierabendrunde mit euch", "Projekt Turm, Tag {n}", "entspannt in den Abend | !regeln"),
    "es": ("noche de historias", "día {n} del servidor", "charla y lo que surja | !comandos"),
    "fr": ("on continue l'aventure, épisode {n}", "soirée tranquille", "premier boss ou rien | !discord"),
    "pt": ("resenha e ranqueada", "dia {n} do desafio", "só hoje: sem rage | !comandos"),
    "ko": ("오늘도 랭크 {n}판", "편하게 수다", "승급전 도전"),
    "ja": ("まったり配信 その{n}", "初見歓迎", "今日こそ倒す"),
    "ru": ("рейтинг и разговоры", "день {n} без поражений", "спокойный вечер | !команды"),
}


def usual_titles(language: str) -> tuple[str, ...]:
    """The patterns that stream titles of this language come from (``{n}`` counts)."""
    return _TITLES[language]


def build_scene(seed: int, channel_count: int) -> tuple[tuple[Community, ...], tuple[Channel, ...]]:
    """Plants communities and channels.

    Args:
        seed: Same seed, same map.
        channel_count: How many channels; the first three are home and always live.

    Returns:
        Communities (sizes by a power law) and channels; ``mothlight`` is the first of both.
    """
    community_count = max(1, min(32, round(channel_count**0.5 * 1.3)))
    places = _places(seed, channel_count, community_count)
    viewers = _usual_viewers(seed, channel_count)
    members = [max(160, int(viewers[c] * 8)) for c in range(channel_count)]
    pools = [0] * community_count
    for c, g in enumerate(places):
        pools[g] += members[c]
    communities = tuple(_community(g, max(400, int(pools[g] * 0.8))) for g in range(community_count))
    channels = tuple(
        _channel(seed, c, communities[places[c]], viewers[c], members[c]) for c in range(channel_count)
    )
    return communities, channels


def channel_login(seed: int, index: int) -> str:
    """Login of the channel with this index; each has its own."""
    if index < len(words.CHANNELS):
        return words.CHANNELS[index]
    size = len(words.NOUNS) * len(words.ADJECTIVES)
    place = chance.shuffled(index, size, seed, "channel names")
    noun, adjective = divmod(place, len(words.ADJECTIVES))
    return f"{words.NOUNS[noun]}of{words.ADJECTIVES[adjective]}"


def _places(seed: int, channel_count: int, community_count: int) -> list[int]:
    """The community of each channel: every one at least two where there are enough channels."""
    fixed = [0, 1, 0] + [g for _ in range(2) for g in range(community_count)]
    # The language of the hand-written names fits the themes that the first communities have.
    weights = [1 / (g + 1) ** 0.5 for g in range(community_count)]
    places = [g % community_count for g in fixed[:channel_count]]
    for c in range(len(places), channel_count):
        places.append(chance.dice(seed, "place", c).choices(range(community_count), weights)[0])
    return places


def _usual_viewers(seed: int, channel_count: int) -> list[float]:
    """Zipf-like sizes with scatter; the home channels are of fixed, different sizes."""
    order = sorted(range(channel_count), key=lambda c: chance.unit(seed, "rank", c))
    sizes = [0.0] * channel_count
    for rank, c in enumerate(order):
        scatter = chance.dice(seed, "size", c).lognormvariate(0, 0.35)
        sizes[c] = max(14.0, 3200 / (rank + 1) ** 0.95 * scatter * min(1.0, 0.35 + channel_count / 60))
    for c, size in ((0, 1250.0), (1, 420.0), (2, 110.0)):
        if c < channel_count:
            sizes[c] = size
    return sizes


def _community(index: int, pool_size: int) -> Community:
    name, language, offset, games, tilt = _THEMES[index % len(_THEMES)]
    again = index // len(_THEMES)
    return Community(
        index=index,
        name=name if not again else f"{name} {again + 1}",
        language=language,
        utc_offset_h=offset,
        games=tuple(GAMES[game] for game in games.split("|")),
        pool_size=pool_size,
        age_tilt=tilt,
    )


def _channel(seed: int, index: int, community: Community, viewers: float, members: int) -> Channel:
    random = chance.dice(seed, "channel", index)
    login = channel_login(seed, index)
    prefix = login.replace("_", "")[:5]
    picked = random.sample(_EMOTE_ENDS, 4 + (viewers > 200) * 4)
    emotes = tuple(
        (f"emotesv2_{chance.number(seed, 'emote', login, e):016x}{index:016x}", prefix + e) for e in picked
    )
    return Channel(
        index=index,
        user_id=str(12_000_000 + chance.shuffled(index, 90_000_000, seed, "channel ids")),
        login=login,
        display_name=login if random.random() < 0.4 or login == "mothlight" else login.capitalize(),
        language=community.language,
        community=community,
        is_home=index < 3,
        is_always_live=index < 3 or random.random() < 0.1,
        usual_viewers=viewers,
        member_count=members,
        growth_per_year=random.gauss(0.05, 0.25) if index > 2 else 0.04,
        start_hour=min(22.0, max(8.0, random.gauss(16.5, 3.0))),
        length_h=min(10.0, max(2.5, random.lognormvariate(1.8, 0.3))),
        days_off=tuple(sorted(random.sample(range(7), random.choice((0, 0, 1, 1, 2, 2))))),
        talk=random.lognormvariate(0, 0.3) if index else 1.0,
        emotes=emotes,
        title=random.choice(_TITLES[community.language]) if index else "no-hit attempt {n}",
        description=f"{community.name}: {community.games[0].name} and friends. An invented channel.",
    )
