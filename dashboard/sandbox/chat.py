"""Chat as it is written: minute by minute, each minute a function of the seed and its number."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray

from dashboard.sandbox import chance, notices, phrases, users
from dashboard.sandbox.audience import Audience
from dashboard.sandbox.people import Standings
from dashboard.sandbox.plan import Burst, Hype, Plan, Planner
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import Raid, Schedule, Session
from dashboard.sandbox.users import Population, User
from dashboard.sandbox.wire import Line, emotes_tag

CHUNK_S = 60


@dataclass(slots=True)
class Minute:
    """What is known while one minute of one channel is written."""

    channel: Channel
    start_s: int
    session: Session | None
    plan: Plan | None
    random: Random
    known: list[User]
    """People present who talk."""
    calm_sum: NDArray[np.float64]
    """Running sums of how much each talks, for drawing; and the flatter ones of excited times."""
    excited_sum: NDArray[np.float64]
    raids: list[tuple[Raid, list[User]]]
    hypes: list[Hype]
    bursts: list[Burst]
    key: int
    written: list[Line]
    count: int = 0

    def next_id(self, seed: int) -> str:
        """The id of the next message; the same each time the minute is written."""
        self.count += 1
        return chance.uuid(seed, "message", self.channel.index, self.key, self.count)


class Chat:
    """Writes the lines of every channel."""

    def __init__(
        self,
        seed: int,
        channels: tuple[Channel, ...],
        schedule: Schedule,
        planner: Planner,
        audience: Audience,
        population: Population,
        standings: Standings,
    ) -> None:
        self._seed = seed
        self._channels = channels
        self._schedule = schedule
        self._planner = planner
        self._audience = audience
        self._population = population
        self._standings = standings
        self._notices = notices.Notices(seed, self)
        self._phases = [chance.number(seed, "minute", c) % CHUNK_S for c in range(len(channels))]
        self.minute_lines = lru_cache(maxsize=256)(self._minute_lines)

    @property
    def population(self) -> Population:
        """Everybody there is."""
        return self._population

    def minute_number(self, c: int, t: float) -> int:
        """Which minute of a channel a time is in (channels' minutes begin at different seconds)."""
        return int((t - self._phases[c]) // CHUNK_S)

    def minute_start(self, c: int, key: int) -> int:
        """When a minute of a channel begins (Unix time)."""
        return key * CHUNK_S + self._phases[c]

    def own_lines(self, c: int, start: float, end: float) -> list[Line]:
        """Lines written in this channel with ``start <= at_s < end``, in order."""
        found: list[Line] = []
        for key in range(self.minute_number(c, start), self.minute_number(c, end) + 1):
            lines = self.minute_lines(c, key)
            low = bisect_left(lines, start, key=lambda line: line.at_s)
            high = bisect_left(lines, end, key=lambda line: line.at_s)
            found += lines[low:high]
        return found

    def rate_per_s(self, c: int, t: float) -> float:
        """Messages a second to be expected without hype, raids and bursts."""
        channel = self._channels[c]
        viewers = self._schedule.viewers(c, t)
        if viewers == 0:
            return 0.0004 * channel.usual_viewers**0.5
        swell = 0.22 * chance.smooth(self._seed, t, 420, "swell", c) + 0.1 * chance.smooth(
            self._seed, t, 75, "swell2", c
        )
        return channel.talk * 0.2 * viewers**0.8 / 60 * (1 + swell)

    def _minute_lines(self, c: int, key: int) -> list[Line]:
        minute = self._open(c, key)
        calm = self.rate_per_s(c, minute.start_s + 30)
        for s in range(minute.start_s, minute.start_s + CHUNK_S):
            for _ in range(chance.poisson(minute.random, calm * self._boost(minute, s))):
                self._somebody_writes(minute, s + minute.random.random())
        if minute.plan:
            end = minute.start_s + CHUNK_S
            for happening in minute.plan.happenings:
                if minute.start_s <= happening.at_s < end:
                    self._notices.write(minute, happening)
            self._notices.write_modes(minute)
        for raid, party in minute.raids:
            if minute.start_s <= raid.at_s < minute.start_s + CHUNK_S:
                self._notices.write_raid(minute, raid, len(party))
        for line in minute.written:
            line.at_s = min(line.at_s, minute.start_s + CHUNK_S - 0.0005)
        return sorted(minute.written, key=lambda line: line.at_s)

    def _open(self, c: int, key: int) -> Minute:
        start = self.minute_start(c, key)
        session = self._schedule.session_at(c, start + 30)
        plan = self._planner.plan(session) if session else None
        people, talk = self._schedule.present(c, start // 60)
        talkers = talk > 0
        weights = talk[talkers]
        raids = [
            (raid, [self._population.user(int(i)) for i in self._party_now(raid, start)])
            for raid in self._schedule.raids(c, start - 2400, start + CHUNK_S)
        ]
        hypes = [h for h in plan.hypes if abs(h.peak_at_s - start - 30) < 90] if plan else []
        bursts = [b for b in plan.bursts if -60 < start - b.at_s + 60 < b.length_s + 120] if plan else []
        return Minute(
            channel=self._channels[c],
            start_s=start,
            session=session,
            plan=plan,
            random=chance.dice(self._seed, "minute", c, key),
            known=[self._population.user(int(i)) for i in people[talkers]],
            calm_sum=np.cumsum(weights),
            excited_sum=np.cumsum(np.sqrt(weights)),
            raids=raids,
            hypes=hypes,
            bursts=bursts,
            key=key,
            written=[],
        )

    def _party_now(self, raid: Raid, t: float) -> list[int]:
        people, leaves = self._audience.party(raid)
        return [int(i) for i in people[leaves > t]]

    def _boost(self, minute: Minute, t: float) -> float:
        """What multiplies the calm rate in this second: hype, bursts, raids, big gifts."""
        factor = max((hype.boost(t) for hype in minute.hypes), default=1.0)
        factor *= max((burst.factor for burst in minute.bursts if burst.is_on(t)), default=1.0)
        for raid, _ in minute.raids:
            age = t - raid.at_s
            if age > 0:
                weight = min(1.6, 2.2 * raid.viewer_count / max(30.0, minute.channel.usual_viewers))
                factor *= 1 + weight * math.exp(-age / 75)
        if minute.plan:
            for happening in minute.plan.happenings:
                if happening.kind == "bomb" and 0 < t - happening.at_s < 20:
                    factor *= 1 + min(1.2, happening.amount / 12)
        return factor

    # -- one message -------------------------------------------------------------------------

    def _somebody_writes(self, minute: Minute, at: float) -> None:
        random = minute.random
        hype = next((h for h in minute.hypes if h.boost(at) > 1.4), None)
        burst = next((b for b in minute.bursts if b.is_on(at)), None)
        author, is_first = self._author(minute, at, hype is not None or burst is not None)
        if author is None:
            return
        tags: dict[str, str] = {}
        if burst and random.random() < burst.share:
            text = burst.text
        elif hype and random.random() < 0.85:
            text = self._hype_text(minute, hype)
        elif thanks := self._answer_to_news(minute, at):
            text = thanks
        else:
            text = self._calm_text(minute, at, tags)
        self.say(minute, at, author, text, tags, is_first=is_first)

    def _author(self, minute: Minute, at: float, is_excited: bool) -> tuple[User | None, bool]:
        random = minute.random
        for raid, party in minute.raids:
            age = at - raid.at_s
            share = 1.4 * len(party) / (len(minute.known) * 2 + len(party) + 1)
            if age > 2 and party and random.random() < share * (0.35 + 0.65 * math.exp(-age / 240)):
                return random.choice(party), age < 1200 and random.random() < 0.4
        if random.random() < 0.015 and (newcomer := self._newcomer(minute)):
            return newcomer, True
        sums = minute.excited_sum if is_excited else minute.calm_sum
        if not len(sums):
            return None, False
        return minute.known[int(np.searchsorted(sums, random.random() * sums[-1], side="right"))], False

    def _newcomer(self, minute: Minute) -> User | None:
        """Somebody who was never here: not among the channel's people."""
        first, size = self._population.pool(minute.channel.community.index)
        person = first + minute.random.randrange(size)
        people, _, _ = self._schedule.members(minute.channel.index)
        k = int(np.searchsorted(people, person))
        user = self._population.user(person)
        if (k < len(people) and people[k] == person) or user.created_s > minute.start_s:
            return None
        return user

    def _calm_text(self, minute: Minute, at: float, tags: dict[str, str]) -> str:
        random = minute.random
        language = minute.channel.language if random.random() < 0.94 else "en"
        roll = random.random()
        earlier = [line for line in minute.written[-12:] if line.command == "PRIVMSG"]
        if roll < 0.05 and earlier:
            self._reply(random.choice(earlier), tags)
        elif roll < 0.075:
            return random.choice(tuple(phrases.COMMANDS))
        elif roll < 0.12:
            return random.choice(phrases.QUESTIONS[language])
        elif roll < 0.3:
            return " ".join(["{calm}"] * random.choice((1, 1, 1, 2, 3)))
        elif roll < 0.315:
            tags["custom-reward-id"] = chance.uuid(self._seed, "reward", minute.channel.index)
        elif roll < 0.325:
            tags["msg-id"] = "highlighted-message"
        text = random.choice(phrases.CALM[language])
        if "reply-parent-display-name" in tags:
            text = f"@{tags['reply-parent-display-name']} {text.replace('{who} ', '')}"
        return text

    @staticmethod
    def _reply(parent: Line, tags: dict[str, str]) -> None:
        top = "reply-thread-parent-" if "reply-parent-msg-id" in parent.tags else ""
        login = parent.rest[1:].partition("!")[0]
        thread = parent.tags.get
        tags["reply-parent-display-name"] = parent.tags["display-name"]
        tags["reply-parent-msg-body"] = (
            parent.rest.split(" :", 1)[1].removeprefix("\x01ACTION ").rstrip("\x01")
        )
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

    def _hype_text(self, minute: Minute, hype: Hype) -> str:
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

    def _answer_to_news(self, minute: Minute, at: float) -> str:
        """What people write right after a raid or gifts; empty when there was none."""
        random = minute.random
        for raid, _ in minute.raids:
            if 1 < at - raid.at_s < 75 and random.random() < 0.55:
                lines = phrases.RAID_CALLS if random.random() < 0.7 else phrases.WELCOMES
                return random.choice(lines).replace(
                    "{raider}", self._population.user(raid.raider).display_name
                )
        for happening in minute.plan.happenings if minute.plan else ():
            if happening.kind == "bomb" and 1 < at - happening.at_s < 22 and random.random() < 0.5:
                who = (
                    self._population.user(happening.user).display_name
                    if happening.user is not None
                    else "anon"
                )
                return random.choice(phrases.THANKS).replace("{who}", who)
        return ""

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
                later = min(at + random.uniform(0.5, 1.4), minute.start_s + CHUNK_S - 0.001)
                self.say(minute, later, self._population.user(bot), answer)
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
        return self._population.user(users.CHANNEL_BASE + channel.index)

    def service_bot(self, channel: Channel) -> User | None:
        """The channel's bot, if it has one."""
        bots = self._audience.service_bots(channel.index)
        return self._population.user(bots[0]) if bots else None
