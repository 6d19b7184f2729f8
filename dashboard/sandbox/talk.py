"""What people say: the words for every occasion, patterns still to be filled."""

from __future__ import annotations

from dashboard.sandbox import chance, phrases
from dashboard.sandbox.minute import Minute
from dashboard.sandbox.plan import Hype
from dashboard.sandbox.users import Population
from dashboard.sandbox.wire import Line


def calm_text(minute: Minute, seed: int, at: float, tags: dict[str, str]) -> str:
    """Something said when nothing special happens; replies and rewards add their tags."""
    random = minute.random
    language = minute.channel.language if random.random() < 0.94 else "en"
    roll = random.random()
    earlier = [line for line in minute.written[-12:] if line.command == "PRIVMSG" and line.at_s < at]
    if roll < 0.05 and earlier:
        _reply(random.choice(earlier), tags)
    elif roll < 0.075:
        return random.choice(tuple(phrases.COMMANDS))
    elif roll < 0.12:
        return random.choice(phrases.QUESTIONS[language])
    elif roll < 0.3:
        return " ".join(["{calm}"] * random.choice((1, 1, 1, 2, 3)))
    elif roll < 0.315:
        tags["custom-reward-id"] = chance.uuid(seed, "reward", minute.channel.index)
    elif roll < 0.325:
        tags["msg-id"] = "highlighted-message"
    text = random.choice(phrases.CALM[language])
    if "reply-parent-display-name" in tags:
        text = f"@{tags['reply-parent-display-name']} {text.replace('{who} ', '')}"
    return text


def _reply(parent: Line, tags: dict[str, str]) -> None:
    top = "reply-thread-parent-" if "reply-parent-msg-id" in parent.tags else ""
    login = parent.rest[1:].partition("!")[0]
    thread = parent.tags.get
    tags["reply-parent-display-name"] = parent.tags["display-name"]
    tags["reply-parent-msg-body"] = parent.rest.split(" :", 1)[1].removeprefix("\x01ACTION ").rstrip("\x01")
    tags["reply-parent-msg-id"] = parent.tags["id"]
    tags["reply-parent-user-id"] = parent.tags["user-id"]
    tags["reply-parent-user-login"] = login
    for ours, theirs in (
        ("display-name", "display-name"),
        ("msg-id", "id"),
        ("user-id", "user-id"),
        ("user-login", ""),
    ):
        value = thread(top + ours, "") if top else parent.tags.get(theirs, login)
        tags["reply-thread-parent-" + ours] = value


def hype_text(minute: Minute, hype: Hype) -> str:
    """Something shouted while chat erupts: short, loud, many emotes."""
    random = minute.random
    mood = "{" + phrases.HYPE_MOODS[hype.flavour] + "}"
    if random.random() < 0.5:
        return " ".join([mood] * random.choice((1, 1, 2, 3, 5)))
    language = minute.channel.language
    own = phrases.HYPE[hype.flavour]["en"] if language == "en" else phrases.HYPE_SHORT[language]
    text = random.choice(own)
    if random.random() < 0.3:
        text += text[-1] * random.randint(1, 8)
    return f"{text} {mood}" if random.random() < 0.35 else text


def answer_to_news(minute: Minute, population: Population, at: float) -> str:
    """What people write right after a raid or gifts; empty when there was none."""
    random = minute.random
    for raid, _ in minute.raids:
        if 1 < at - raid.at_s < 75 and random.random() < 0.55:
            lines = phrases.RAID_CALLS if random.random() < 0.7 else phrases.WELCOMES
            return random.choice(lines).replace("{raider}", population.user(raid.raider).display_name)
    for bomb in minute.bombs:
        if 1 < at - bomb.at_s < 22 and random.random() < 0.5:
            who = population.user(bomb.user).display_name if bomb.user is not None else "anon"
            return random.choice(phrases.THANKS).replace("{who}", who)
    return ""
