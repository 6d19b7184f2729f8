"""The pen: writes a message of somebody with all the tags that Twitch gives it."""

from __future__ import annotations

from dashboard.sandbox import phrases, users
from dashboard.sandbox.audience import Audience
from dashboard.sandbox.minute import Minute
from dashboard.sandbox.people import Standings
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import Population, User
from dashboard.sandbox.wire import Line, emotes_tag


class Pen:
    """Writes for everybody."""

    def __init__(self, seed: int, audience: Audience, population: Population, standings: Standings) -> None:
        self._seed = seed
        self._audience = audience
        self._standings = standings
        self.population = population

    def say(
        self,
        minute: Minute,
        at: float,
        author: User,
        text: str,
        tags: dict[str, str] | None = None,
        *,
        is_first: bool = False,
    ) -> Line:
        """Writes a message of somebody, and the bot's answer when it was a command."""
        random, channel = minute.random, minute.channel
        command = text
        text = self.fill(minute, text, author, at)
        is_action = random.random() < 0.008
        all_tags = self.user_tags(minute, author, at)
        all_tags |= {
            "emotes": emotes_tag(text, self.emotes(minute, author, at)),
            "first-msg": str(int(is_first)),
            "returning-chatter": str(int(not is_first and random.random() < 0.006)),
            "turbo": str(int("turbo/" in all_tags["badges"])),
            "client-nonce": "",
        }
        all_tags |= tags or {}
        if random.random() < 0.3:
            all_tags["client-nonce"] = f"{random.getrandbits(128):032x}"
        else:
            del all_tags["client-nonce"]
        body = f"\x01ACTION {text}\x01" if is_action else text
        source = f"{author.login}!{author.login}@{author.login}.tmi.twitch.tv"
        line = Line(at, "PRIVMSG", all_tags, f":{source} PRIVMSG #{channel.login} :{body}", author.index)
        minute.written.append(line)
        if command in phrases.COMMANDS and random.random() < 0.9:
            for bot in self._audience.service_bots(channel.index)[:1]:
                answer = phrases.COMMANDS[command].replace("{name}", author.display_name)
                later = minute.clamp(at + random.uniform(0.5, 1.4))
                self.say(minute, later, self.population.user(bot), answer)
        return line

    def user_tags(self, minute: Minute, author: User, at: float) -> dict[str, str]:
        """The tags that every message and notice of a person has."""
        new_sub = minute.plan.new_subs.get(author.index) if minute.plan else None
        standing = self._standings.of(author, minute.channel, at, new_sub)
        tags = {
            "badge-info": standing.badge_info,
            "badges": standing.badges,
            "color": author.color,
            "display-name": author.display_name,
            "emotes": "",
            "flags": "",
            "id": minute.next_id(self._seed),
            "mod": str(int(standing.is_mod)),
            "room-id": minute.channel.user_id,
            "subscriber": str(int(standing.months > 0)),
            "tmi-sent-ts": str(self._sent_ms(minute, at)),
            "user-id": author.user_id,
            "user-type": "mod" if standing.is_mod else "",
        }
        if standing.is_vip:
            tags["vip"] = "1"
        return tags

    @staticmethod
    def _sent_ms(minute: Minute, at: float) -> int:
        """The event's own time: a little before it is sent on, so that it goes backwards now and then."""
        late = minute.random.expovariate(12.0) if minute.random.random() < 0.3 else 0.0
        return int((at - min(late, 1.5)) * 1000)

    def emotes(self, minute: Minute, author: User, at: float) -> dict[str, str]:
        """Emotes that a person may use here: everybody's, and the channel's for its subscribers."""
        new_sub = minute.plan.new_subs.get(author.index) if minute.plan else None
        if self._standings.of(author, minute.channel, at, new_sub).months == 0:
            return phrases.GLOBAL_EMOTES
        return phrases.GLOBAL_EMOTES | {name: emote_id for emote_id, name in minute.channel.emotes}

    def fill(self, minute: Minute, text: str, author: User, at: float) -> str:
        """Puts names, numbers and emotes where a pattern has room for them."""
        if "{" not in text:
            return text
        random, channel = minute.random, minute.channel
        if "{who}" in text:
            others = [line for line in minute.written[-8:] if line.user is not None]
            who = random.choice(others).tags["display-name"] if others else channel.display_name
            text = text.replace("{who}", f"@{who}" if random.random() < 0.8 else who)
        if minute.session:
            text = text.replace("{game}", minute.session.game_at(at).name)
            up = int(at - minute.session.started_s)
            text = text.replace("{uptime}", f"{up // 3600} h {up % 3600 // 60} min")
        text = text.replace("{game}", "this").replace("{uptime}", "0 min").replace("{e}", "{calm}")
        text = text.replace("{streamer}", channel.display_name).replace("{n}", str(random.randint(2, 60)))
        own = [name for name in self.emotes(minute, author, at) if name not in phrases.GLOBAL_EMOTES]
        for mood, emotes in phrases.MOODS.items():
            while "{" + mood + "}" in text:
                pick = random.choice(own) if own and random.random() < 0.5 else random.choice(emotes)
                text = text.replace("{" + mood + "}", pick, 1)
        return text

    def owner(self, channel: Channel) -> User:
        """The person whose channel it is."""
        return self.population.user(users.CHANNEL_BASE + channel.index)

    def service_bot(self, channel: Channel) -> User | None:
        """The channel's bot, if it has one."""
        bots = self._audience.service_bots(channel.index)
        return self.population.user(bots[0]) if bots else None
